/** Pictures by rule, the same as in test/fixtures/pdq/make_fixtures.py: `[height, width]` luma. */

type Rule = (x: number, y: number) => number;

export interface GeneratedPicture {
  kind: 'noise' | 'waves' | 'blocks';
  width: number;
  height: number;
  seed: number;
}

export function generatedLuma({ kind, width, height, seed }: GeneratedPicture): Uint8Array {
  const value = { noise, waves, blocks }[kind](width, height, seed);
  return Uint8Array.from({ length: width * height }, (_, i) =>
    value(i % width, Math.floor(i / width)),
  );
}

/** Row by row, whatever the place. */
function noise(_width: number, _height: number, seed: number): Rule {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 16) % 256;
  };
}

function waves(_width: number, _height: number, seed: number): Rule {
  return (x, y) => Math.floor((x * x * seed + y * y * 3 + x * y * 2) / 16) % 256;
}

function blocks(width: number, height: number, seed: number): Rule {
  return (x, y) =>
    (Math.floor((x * 5) / width) * 37 + Math.floor((y * 7) / height) * 91 + seed * 50) % 256;
}
