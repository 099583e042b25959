/** The picture that the files show: 24 patches of strong colours, each a little gradient. */
export const WIDTH = 48;
export const HEIGHT = 32;
const PATCH = 8;

/** Red, green and blue of a pixel, 0 to 1. */
function colourAt(x: number, y: number): [number, number, number] {
  const column = Math.floor(x / PATCH);
  const row = Math.floor(y / PATCH);
  const angle = ((column + row * 0.5) / 6) * 2 * Math.PI;
  const light = 0.25 + row * 0.17;
  const saturation = column === 5 ? 0 : 0.2 + 0.04 * row;
  const shade = (((x % PATCH) + (y % PATCH)) / (2 * PATCH)) * 0.12;
  const channel = (turn: number): number =>
    Math.min(1, Math.max(0, light + saturation * Math.cos(angle - turn) + shade));
  return [channel(0), channel((2 * Math.PI) / 3), channel((4 * Math.PI) / 3)];
}

/** Samples of 0 to 1, interleaved: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
export function samples(channels: 1 | 2 | 3 | 4, turnedBy = 0): number[] {
  const values: number[] = [];
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      const [red, green, blue] = colourAt((x + turnedBy) % WIDTH, y);
      if (channels >= 3) values.push(red, green, blue);
      else values.push(0.3 * red + 0.59 * green + 0.11 * blue);
      if (channels % 2 === 0) values.push(y < HEIGHT / 4 ? 1 : x / (WIDTH - 1));
    }
  }
  return values;
}

export const bytesOf = (values: readonly number[]): Buffer =>
  Buffer.from(values.map((value) => Math.round(value * 255)));
