/** The subject is whole and in plain sight, but not where, or not as large as, a centre square wants it. */
import sharp from 'sharp';
import { covering, jpeg, laidOver, plain, sized, type Row, type Subject } from '../picture.ts';
import { SURROUNDINGS } from '../subjects.ts';

const EDGE = 720;

export const FRAMING: readonly Row[] = [
  ...[1.15, 1.33, 1.5, 1.78, 1.99].map((ratio) =>
    row('beside the centre', `${ratio}:1`, (subject) => beside(subject, ratio, 1)),
  ),
  row('below the centre', '1:1.78', (subject) => beside(subject, 1.78, 1, true)),
  ...[1.5, 1.78].map((ratio) =>
    row('on both sides of a flower', `${ratio}:1`, (subject) => beside(subject, ratio, 2)),
  ),
  ...[2, 3, 4, 6, 8].map((part) =>
    row('small in the middle', `1/${part}`, (subject) => small(subject, part, 0.5)),
  ),
  ...[2, 3, 4].map((part) =>
    row('small in a corner', `1/${part}`, (subject) => small(subject, part, 0)),
  ),
  ...[2, 3, 4].map((cells) =>
    row('in a collage', `${cells} × ${cells}`, (subject) => collage(subject, cells)),
  ),
  ...[25, 50, 100, 200].map((percent) =>
    row('white border', `${percent} %`, (subject) => border(subject, percent, '#ffffff')),
  ),
  row('black border', '100 %', (subject) => border(subject, 100, '#000000')),
  row('grey border', '100 %', (subject) => border(subject, 100, '#888888')),
  row('border of a blurred copy', '100 %', blurredBorder),
  ...[3_000, 6_000].map((edge) =>
    row('white canvas', `${edge} px`, (subject) => canvas(subject, edge)),
  ),
  ...[0.5, 0.3].map((share) =>
    row('desktop screenshot', `${share * 100} % of its width`, (subject) =>
      screenshot(subject, share),
    ),
  ),
  ...[75, 50].map((percent) =>
    row('cropped', `${percent} %`, (subject) => cropped(subject, percent)),
  ),
];

function row(name: string, strength: string, make: Row['make']): Row {
  return { group: 'framing', name, strength, make };
}

/** A flower fills the centre square, the subject the strip beside it, on one side or on both. */
async function beside(
  { bytes }: Subject,
  ratio: number,
  sides: 1 | 2,
  upright = false,
): Promise<Buffer> {
  const long = Math.round(EDGE * ratio);
  // The strip beside the centre square of a frame that is `ratio` times as wide as high, and as much again of it.
  const strip = Math.round(((ratio - 1) / 2) * EDGE * (sides === 1 ? 1.6 : 1));
  const size = (along: number): [number, number] => (upright ? [EDGE, along] : [along, EDGE]);
  const fitted = await covering(bytes, ...size(strip));
  const background = sharp(await covering(SURROUNDINGS.flower, ...size(long)));
  const starts = sides === 1 ? [long - strip] : [0, long - strip];
  const parts = starts.map((start) => ({
    input: fitted,
    left: upright ? 0 : start,
    top: upright ? start : 0,
  }));
  return await laidOver(background, parts);
}

/** A square of 1/`part` of the frame's edge, in its middle or its corner. */
async function small({ bytes }: Subject, part: number, place: number): Promise<Buffer> {
  const width = Math.round(EDGE * 1.33);
  const photo = await sized(bytes, Math.round(EDGE / part));
  const left = Math.round((width - photo.width) * place);
  const top = Math.round((EDGE - photo.height) * place);
  const background = sharp(await covering(SURROUNDINGS.forest, width, EDGE));
  return await laidOver(background, [{ input: photo.data, left, top }]);
}

/** One cell of the collage is the subject, the others are photos of other things. */
async function collage({ bytes }: Subject, cells: number): Promise<Buffer> {
  const edge = Math.round(960 / cells);
  const others = await Promise.all(
    Object.values(SURROUNDINGS).map((photo) => covering(photo, edge, edge)),
  );
  const own = await covering(bytes, edge, edge);
  const at = cells === 2 ? 1 : cells + 1; // Not the first row where there is another.
  const parts = Array.from({ length: cells * cells }, (_, cell) => ({
    input: cell === at ? own : (others[cell % others.length] as Buffer),
    left: (cell % cells) * edge,
    top: Math.trunc(cell / cells) * edge,
  }));
  return await laidOver(plain(edge * cells, edge * cells, '#ffffff'), parts);
}

/** A border of `percent` of the photo's own size in all, around it. */
async function border({ bytes }: Subject, percent: number, colour: string): Promise<Buffer> {
  const photo = await sized(bytes, 480);
  const across = Math.round((photo.width * percent) / 200);
  const down = Math.round((photo.height * percent) / 200);
  const background = plain(photo.width + 2 * across, photo.height + 2 * down, colour);
  return await laidOver(background, [{ input: photo.data, left: across, top: down }]);
}

/** As apps fill the bars beside an upright video. */
async function blurredBorder({ bytes }: Subject): Promise<Buffer> {
  const photo = await sized(bytes, 480);
  const size = { width: photo.width * 2, height: photo.height * 2 };
  const background = sharp(await covering(bytes, size.width, size.height)).blur(30);
  const left = Math.round(photo.width / 2);
  const top = Math.round(photo.height / 2);
  return await laidOver(background, [{ input: photo.data, left, top }]);
}

/** A photo of 800 pixels somewhere on a large white page. */
async function canvas({ bytes }: Subject, edge: number): Promise<Buffer> {
  const photo = await sized(bytes, 800);
  const left = Math.round(edge * 0.1);
  const top = Math.round(edge * 0.15);
  return await laidOver(plain(edge, edge, '#ffffff'), [{ input: photo.data, left, top }]);
}

/** A browser's window with the photo and some lines of text. */
async function screenshot({ bytes }: Subject, share: number): Promise<Buffer> {
  const [width, height] = [1_440, 900];
  const photo = await sized(bytes, Math.round(width * share));
  const [left, top] = [220, 180];
  const lines = Array.from(
    { length: 14 },
    (_, line) =>
      `<rect x="${left + photo.width + 40}" y="${190 + line * 34}" width="${300 - ((line * 53) % 140)}" height="12" fill="#9aa"/>`,
  );
  const page = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="100%" height="100%" fill="#3b6ea5"/><rect x="80" y="60" width="1280" height="800" rx="8" fill="#fff"/>
    <rect x="80" y="60" width="1280" height="44" rx="8" fill="#dfe3e8"/><circle cx="104" cy="82" r="7" fill="#e66"/>
    <circle cx="128" cy="82" r="7" fill="#eb5"/><circle cx="152" cy="82" r="7" fill="#6b6"/>
    <rect x="200" y="70" width="900" height="24" rx="12" fill="#fff"/><rect x="110" y="130" width="80" height="600" fill="#eef1f4"/>
    ${lines.join('')}</svg>`;
  const photoHeight = Math.min(photo.height, height - top - 60);
  const input = await sharp(photo.data)
    .extract({ left: 0, top: 0, width: photo.width, height: photoHeight })
    .png()
    .toBuffer();
  return await laidOver(sharp(Buffer.from(page)).flatten(), [{ input, left, top }]);
}

/** The middle of the photo, so many percent of each edge. */
async function cropped({ bytes }: Subject, percent: number): Promise<Buffer> {
  const photo = await sized(bytes, 640);
  const width = Math.round((photo.width * percent) / 100);
  const height = Math.round((photo.height * percent) / 100);
  const left = Math.round((photo.width - width) / 2);
  const top = Math.round((photo.height - height) / 2);
  return await jpeg(sharp(photo.data).extract({ left, top, width, height }));
}
