import sharp, { type JpegOptions, type Sharp } from 'sharp';
import { segment } from '../../fuzz/corpus/jpeg-segment.ts';
import { filesOf, type TruthFile } from './entry.ts';
import { exifOf } from './exif.ts';
import { bytesOf, HEIGHT, samples, WIDTH } from './picture.ts';
import {
  BAD_PROFILES,
  CMYK_PROFILE,
  GREY_PROFILES,
  ODD_PROFILES,
  RGB_PROFILES,
} from './profiles.ts';

export const picture = (channels: 1 | 2 | 3 | 4 = 3, turnedBy = 0): Sharp =>
  sharp(bytesOf(samples(channels, turnedBy)), { raw: { width: WIDTH, height: HEIGHT, channels } });

const encoded = (options: JpegOptions = {}): Promise<Buffer> =>
  picture()
    .jpeg({ quality: 95, chromaSubsampling: '4:4:4', ...options })
    .toBuffer();

/** Segments put in front of all others. */
const led = (jpeg: Buffer, ...segments: Buffer[]): Buffer =>
  Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);

/** ICC.1:2022, annex B.4. */
const part = (index: number, count: number, data: Buffer): Buffer =>
  segment(
    0xe2,
    Buffer.concat([Buffer.from('ICC_PROFILE\0', 'latin1'), Buffer.from([index, count]), data]),
  );
const exif = (value: number): Buffer =>
  segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exifOf(value)]));

const under = (jpeg: Buffer, name: string, all: Record<string, Buffer>): Record<string, Buffer> =>
  Object.fromEntries(
    Object.entries(all).map(([key, profile]) => [`${name}-${key}`, led(jpeg, part(1, 1, profile))]),
  );

export async function jpegFiles(): Promise<TruthFile[]> {
  const rgb = await encoded();
  const grey = await picture(1).toColourspace('b-w').jpeg({ quality: 95 }).toBuffer();
  const cmyk = await picture().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
  const plainCmyk = withoutProfiles(cmyk);
  const { swapped, srgb, linear } = RGB_PROFILES;
  const half = Math.floor(swapped.length / 2);
  const halves = [swapped.subarray(0, half), swapped.subarray(half)] as const;
  return [
    ...filesOf('jpeg-type', 'jpg', {
      rgb,
      grey,
      '420': await encoded({ chromaSubsampling: '4:2:0' }),
      progressive: await encoded({ progressive: true }),
      restarts: await encoded({ mozjpeg: false, optimiseCoding: false }),
      'adobe-rgb': asAdobe(rgb, 0),
      'adobe-ycc': asAdobe(rgb, 1),
    }),
    ...filesOf('jpeg-cmyk', 'jpg', {
      plain: plainCmyk,
      profile: led(plainCmyk, part(1, 1, CMYK_PROFILE)),
      ...under(plainCmyk, 'rgb', { swapped, srgb }),
      ...under(plainCmyk, 'grey', { 'grey-4': GREY_PROFILES['grey-4'] }),
    }),
    ...filesOf('jpeg-profile', 'jpg', {
      ...under(rgb, 'rgb', RGB_PROFILES),
      ...under(rgb, 'rgb', ODD_PROFILES),
      'rgb-two-parts': led(rgb, part(1, 2, halves[0]), part(2, 2, halves[1])),
      'rgb-two-parts-reversed': led(rgb, part(2, 2, halves[1]), part(1, 2, halves[0])),
    }),
    ...filesOf('jpeg-profile-bad', 'jpg', {
      ...under(rgb, 'rgb', BAD_PROFILES),
      'rgb-grey': led(rgb, part(1, 1, GREY_PROFILES['grey-4'])),
      'rgb-cmyk': led(rgb, part(1, 1, CMYK_PROFILE)),
      'rgb-part-missing': led(rgb, part(1, 2, halves[0])),
      'rgb-part-0-of-0': led(rgb, part(0, 0, swapped)),
      'rgb-twice': led(rgb, part(1, 1, swapped), part(1, 1, linear)),
      'rgb-d2b0-behind-frame': behindFrame(rgb, part(1, 1, ODD_PROFILES.d2b0)),
    }),
    ...filesOf('jpeg-profile-grey', 'jpg', {
      ...under(grey, 'grey', { ...GREY_PROFILES, srgb, linear, swapped, d2b0: ODD_PROFILES.d2b0 }),
    }),
    ...filesOf('jpeg-orientation', 'jpg', {
      ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((v) => [String(v), led(rgb, exif(v))])),
      twice: led(rgb, exif(6), exif(3)),
      '0': led(rgb, exif(0)),
      '9': led(rgb, exif(9)),
      'with-profile': led(rgb, exif(6), part(1, 1, swapped)),
      'behind-frame': behindFrame(rgb, exif(6)),
    }),
    ...filesOf('jpeg-damage', 'jpg', {
      'no-eoi': rgb.subarray(0, -2),
      'cut-60': rgb.subarray(0, rgb.length * 0.6),
      'cut-90': rgb.subarray(0, rgb.length * 0.9),
      'bytes-behind': Buffer.concat([rgb, Buffer.alloc(300, 0x41)]),
      'cut-profile': led(rgb, part(1, 1, swapped)).subarray(0, -200),
    }),
  ];
}

/** APP2 of the start removed: sharp attaches a profile to CMYK. */
function withoutProfiles(jpeg: Buffer): Buffer {
  const kept = [jpeg.subarray(0, 2)];
  for (let at = 2; ;) {
    const end = at + 2 + jpeg.readUInt16BE(at + 2);
    if (jpeg[at + 1] === 0xda) return Buffer.concat([...kept, jpeg.subarray(at)]);
    if (jpeg[at + 1] !== 0xe2) kept.push(jpeg.subarray(at, end));
    at = end;
  }
}

/** Behind the last segment before the scan. */
function behindFrame(jpeg: Buffer, added: Buffer): Buffer {
  let at = 2;
  while (jpeg[at + 1] !== 0xda) at += 2 + jpeg.readUInt16BE(at + 2);
  return Buffer.concat([jpeg.subarray(0, at), added, jpeg.subarray(at)]);
}

/** Adobe's APP14 (Adobe Technical Note 5116) and no JFIF: 0 says that the components are not YCbCr. */
function asAdobe(jpeg: Buffer, transform: number): Buffer {
  const jfif = jpeg[3] === 0xe0 ? 4 + jpeg.readUInt16BE(4) : 2;
  const data = Buffer.from([...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, transform]);
  return Buffer.concat([jpeg.subarray(0, 2), segment(0xee, data), jpeg.subarray(jfif)]);
}
