import sharp, { type JpegOptions } from 'sharp';

import { parityImage } from './tiny-clip.ts';

export interface PhotoJpeg extends JpegOptions {
  width: number;
  height: number;
  /** Levels by which samples differ from the photo's, at random. @default 0 */
  noise?: number;
  grey?: boolean;
  orientation?: number;
}

/** A photo as a JPEG; noise makes blocks of every kind of it. */
export async function photoJpeg(wanted: PhotoJpeg): Promise<Buffer> {
  const { width, height, noise = 0, grey = false, orientation = 1, ...options } = wanted;
  const { data, info } = await sharp(parityImage('rgb.jpg'))
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  let state = 12_345;
  const noisy = data.map((value) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.min(255, Math.max(0, value + ((state >> 16) % (2 * noise + 1)) - noise));
  });
  const picture = sharp(noisy, { raw: info }).withMetadata({ orientation });
  return await (grey ? picture.toColourspace('b-w') : picture).jpeg(options).toBuffer();
}
