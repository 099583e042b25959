import type { Drawn } from './chromium.ts';
import type { Look } from './grid.ts';
import type { Judged } from './moderato.ts';

/** How far what is judged is from what is shown. */
export interface Difference {
  /** Mean over the cells and channels, in levels of 255; the worse of the two backgrounds and of the frames. */
  mean: number;
  highest: number;
}

export type Comparison =
  | ({ kind: 'both' } & Difference)
  /** The sizes, or the numbers of frames, differ. */
  | { kind: 'other-size'; shown: string; judged: string }
  /** Shown, but not inspected: a way round moderation. */
  | { kind: 'refused'; code: string }
  /** A browser shows no picture, and neither does Moderato. */
  | { kind: 'neither' }
  | { kind: 'not-shown' };

export function compare({ first, frames }: Drawn, judged: Judged): Comparison {
  if (first === null) return { kind: judged.code === null ? 'not-shown' : 'neither' };
  if (judged.code !== null) return { kind: 'refused', code: judged.code };
  const pairs = (frames ?? [first]).map((look, i) => [look, judged.frames[i]] as const);
  const size = ({ width, height }: Look): string => `${width} × ${height}`;
  if (frames !== null && frames.length !== judged.frames.length) {
    const [shown, ours] = [frames.length, judged.frames.length];
    return { kind: 'other-size', shown: `${shown} frames`, judged: `${ours} frames` };
  }
  let worst: Difference = { mean: 0, highest: 0 };
  for (const [shown, ours] of [[first, judged.frames[0]] as const, ...pairs]) {
    if (ours === undefined || size(shown) !== size(ours)) {
      return { kind: 'other-size', shown: size(shown), judged: ours ? size(ours) : 'nothing' };
    }
    const { mean, highest } = difference(shown, ours);
    worst = { mean: Math.max(worst.mean, mean), highest: Math.max(worst.highest, highest) };
  }
  return { kind: 'both', ...worst };
}

function difference(shown: Look, judged: Look): Difference {
  const white = apart(shown.white, judged.white);
  const black = apart(shown.black ?? shown.white, judged.black ?? judged.white);
  return {
    mean: Math.max(white.mean, black.mean),
    highest: Math.max(white.highest, black.highest),
  };
}

function apart(a: string, b: string): Difference {
  const [left, right] = [Buffer.from(a, 'base64'), Buffer.from(b, 'base64')];
  let sum = 0;
  let highest = 0;
  left.forEach((value, i) => {
    const distance = Math.abs(value - (right[i] ?? 0));
    sum += distance;
    highest = Math.max(highest, distance);
  });
  return { mean: sum / left.length, highest };
}
