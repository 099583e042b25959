/** The subject fills the frame as before, but its pixels are others. */
import sharp, { type Sharp } from 'sharp';
import { jpeg, laidOver, sized, type Row } from '../picture.ts';

/** What is made of a photo of known size. */
type Change = (
  photo: Sharp,
  size: { width: number; height: number },
) => Sharp | Promise<Buffer | Sharp>;

export const APPEARANCE: readonly Row[] = [
  ...[10, 20, 30, 45, 90, 180].map((degrees) =>
    row('rotated', `${degrees}°`, (photo) => photo.rotate(degrees, { background: '#ffffff' })),
  ),
  row('mirrored', '', (photo) => photo.flop()),
  ...[2, 4, 8, 16].map((sigma) => row('blurred', `σ ${sigma} px`, (photo) => photo.blur(sigma))),
  ...[25, 50, 100].map((sigma) =>
    row('noise', `σ ${sigma}`, (photo, size) => noisy(photo, size, sigma)),
  ),
  ...[30, 10, 3].map((quality) =>
    row('JPEG quality', String(quality), (photo) => photo.jpeg({ quality }).toBuffer()),
  ),
  ...[128, 64, 32].map((edge) =>
    row('made small', `${edge} px`, (photo) => photo.resize(edge, edge, { fit: 'inside' })),
  ),
  row('caption', 'small', (photo, size) => captioned(photo, size, 0.06)),
  row('caption', 'large', (photo, size) => captioned(photo, size, 0.16)),
  row('grey', '', (photo) => photo.grayscale()),
  row('negative', '', (photo) => photo.negate()),
  row('dark', '25 %', (photo) => photo.linear(0.25, 0)),
  row('bright', '+50 %', (photo) => photo.linear(0.5, 128)),
  row('flat', '30 % of its contrast', (photo) => photo.linear(0.3, 90)),
  ...[90, 180].map((hue) => row('hue turned', `${hue}°`, (photo) => photo.modulate({ hue }))),
  ...[10, 25, 40].map((percent) =>
    row('a patch over its middle', `${percent} %`, (photo, size) => patched(photo, size, percent)),
  ),
  ...[8, 24].map((gap) =>
    row('stripes', `every ${gap} px`, (photo, size) => striped(photo, size, gap)),
  ),
];

function row(name: string, strength: string, change: Change): Row {
  return {
    group: 'appearance',
    name,
    strength,
    make: async ({ bytes }) => {
      const { data, width, height } = await sized(bytes, 640);
      const changed = await change(sharp(data), { width, height });
      return Buffer.isBuffer(changed) ? changed : await jpeg(changed);
    },
  };
}

function noisy(
  photo: Sharp,
  size: { width: number; height: number },
  sigma: number,
): Promise<Buffer> {
  // Drawn here: libvips' own noise is another in each process.
  let state = 1;
  const draw = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  return photo
    .removeAlpha()
    .raw()
    .toBuffer()
    .then((pixels) => {
      const changed = pixels.map((value) => {
        const normal = draw() + draw() + draw() + draw() + draw() + draw() - 3; // σ 0.71
        return Math.max(0, Math.min(255, Math.round(value + (normal * sigma) / 0.71)));
      });
      return jpeg(sharp(changed, { raw: { ...size, channels: 3 } }));
    });
}

function captioned(
  photo: Sharp,
  { width, height }: { width: number; height: number },
  share: number,
): Promise<Buffer> {
  // Bars in the place of letters: the machine's fonts have no say.
  const line = Math.round(height * share);
  const letters = Array.from(
    { length: 18 },
    (_, at) =>
      `<rect x="${(0.05 + at * 0.05) * width}" y="${line * 0.4}" width="${0.03 * width * (1 - (at % 3) * 0.2)}" height="${line * 0.8}" fill="#fff" stroke="#000" stroke-width="2"/>`,
  ).join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${Math.round(line * 1.6)}">${letters}</svg>`;
  const input = Buffer.from(svg);
  return laidOver(photo, [
    { input, left: 0, top: 0 },
    { input, left: 0, top: height - Math.round(line * 1.6) },
  ]);
}

function patched(
  photo: Sharp,
  { width, height }: { width: number; height: number },
  percent: number,
): Promise<Buffer> {
  const edge = Math.sqrt(percent / 100);
  const size = { width: Math.round(width * edge), height: Math.round(height * edge) };
  return laidOver(photo, [
    {
      input: { create: { ...size, channels: 3, background: '#202020' } },
      left: Math.round((width - size.width) / 2),
      top: Math.round((height - size.height) / 2),
    },
  ]);
}

function striped(
  photo: Sharp,
  { width, height }: { width: number; height: number },
  gap: number,
): Promise<Buffer> {
  const lines = Array.from(
    { length: Math.ceil(height / gap) },
    (_, at) => `<rect y="${at * gap}" width="${width}" height="${gap / 3}" fill="#fff"/>`,
  ).join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${lines}</svg>`;
  return laidOver(photo, [{ input: Buffer.from(svg), left: 0, top: 0 }]);
}
