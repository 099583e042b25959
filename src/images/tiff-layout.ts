/** Channels of colour; one more is alpha. */
const COLOURS: Readonly<Record<string, number>> = {
  'b-w': 1,
  grey16: 1,
  srgb: 3,
  rgb: 3,
  rgb16: 3,
  cmyk: 4,
};

/** The part of the native library's metadata that says how samples are laid out. */
export interface Layout {
  space: string;
  channels: number;
  /** The type of a sample: uchar, ushort, float. */
  depth: string;
}

/**
 * What about a TIFF's samples is not decoded, for example `5 channels of rgb16`; null for what is. The native library
 * hands on channels besides colour and alpha, and ink of 16 bits as if it had 8, so that noise would be judged.
 */
export function unknownLayout({ space, channels, depth }: Layout): string | null {
  const colours = COLOURS[space] ?? 0;
  const withAlpha = space === 'cmyk' ? colours : colours + 1;
  const isWhole = depth === 'uchar' || (depth === 'ushort' && space !== 'cmyk');
  if (channels >= colours && channels <= withAlpha && isWhole) return null;
  return `${channels} channels of ${space}, ${depth}`;
}
