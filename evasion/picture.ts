/** A picture of an evasion: what an uploader makes of a photo so that people see its subject and a model does not. */
import sharp, { type OverlayOptions, type Sharp } from 'sharp';

/** A photo that a policy of the demo's bundle is about. */
export interface Subject {
  name: string;
  bytes: Buffer;
  /** The policy that is to find it. */
  policy: string;
}

/** One way to hide a subject, at one strength. */
export interface Row {
  group: string;
  name: string;
  strength: string;
  /** The picture as an uploader sends it. */
  make: (subject: Subject) => Promise<Buffer>;
}

/** Fixed, so that a row is the same picture on every machine. */
export const QUALITY = 90;

export const jpeg = (image: Sharp): Promise<Buffer> => image.jpeg({ quality: QUALITY }).toBuffer();

/** The photo of `bytes` that covers `width` × `height`. */
export function covering(bytes: Buffer, width: number, height: number): Promise<Buffer> {
  return sharp(bytes).autoOrient().resize(width, height, { fit: 'cover' }).png().toBuffer();
}

/** The photo of `bytes`, whole, its longer edge `edge` pixels long. */
export async function sized(bytes: Buffer, edge: number) {
  const { data, info } = await sharp(bytes)
    .autoOrient()
    .resize(edge, edge, { fit: 'inside' })
    .png()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Photos laid over a background, as a JPEG. */
export function laidOver(background: Sharp, parts: OverlayOptions[]): Promise<Buffer> {
  return background
    .composite(parts)
    .png()
    .toBuffer()
    .then((png) => jpeg(sharp(png)));
}

/** One colour, `width` × `height`. */
export function plain(width: number, height: number, background: string): Sharp {
  return sharp({ create: { width, height, channels: 3, background } });
}
