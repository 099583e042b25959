/** Coding-independent code points, ITU-T H.273: tables 2 (primaries) and 3 (transfer characteristics). */
import type { Samples } from './browser-profile.ts';
import { greyProfile, matrixProfile, type Chromaticities } from './made-profile.ts';

const D65 = [0.3127, 0.329] as const;
const C = [0.31, 0.316] as const;
const PRIMARIES = new Map<number, Chromaticities>([
  [1, [...D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06]],
  [4, [...C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08]],
  [5, [...D65, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06]],
  [6, [...D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07]],
  [7, [...D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07]],
  [8, [...C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049]],
  [9, [...D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046]],
  [10, [1 / 3, 1 / 3, 1, 0, 0, 1, 0, 0]],
  [11, [0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06]],
  [12, [...D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06]],
  [22, [...D65, 0.63, 0.34, 0.295, 0.605, 0.155, 0.077]],
]);

type Curve = (sample: number) => number;

const power =
  (exponent: number): Curve =>
  (x) =>
    x ** exponent;
/** A straight piece up to `until`, then a power. */
const pieces =
  (until: number, slope: number, offset: number, exponent: number): Curve =>
  (x) =>
    x < until ? x / slope : ((x + offset) / (1 + offset)) ** exponent;
/** What displays make of video, not the reverse of what cameras do. */
const BT_1886 = power(2.4);
const SRGB = pieces(0.04045, 12.92, 0.055, 2.4);
/** IEC 61966-2-1 etc.; the reverse of the table's functions, which go from light to samples. */
const TRANSFERS = new Map<number, Curve>([
  [1, BT_1886],
  [4, power(2.2)],
  [5, power(2.8)],
  [6, BT_1886],
  [7, pieces(0.0912, 4, 0.1115, 1 / 0.45)],
  [8, power(1)],
  [11, BT_1886],
  [12, BT_1886],
  [13, SRGB],
  [14, BT_1886],
  [15, BT_1886],
  [17, (x) => x ** 2.6 * (52.37 / 48)],
]);

/** The profile of code points that browsers know; null for others. */
export function profileOfCodes(
  primaries: number,
  transfer: number,
  samples: Samples,
): Buffer | 'srgb' | null {
  if (primaries === 1 && transfer === 13) return 'srgb';
  const chromaticities = PRIMARIES.get(primaries);
  const curve = TRANSFERS.get(transfer);
  if (chromaticities === undefined || curve === undefined) return null;
  return samples === 'GRAY' ? greyProfile(curve) : matrixProfile(chromaticities, curve);
}
