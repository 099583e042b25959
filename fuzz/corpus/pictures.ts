import sharp, { type Sharp } from 'sharp';
import { packageFile } from '../../src/package-files.ts';

/** One small photo in every way that is accepted; what most cases are made of. */
export type Pictures = Awaited<ReturnType<typeof makePictures>>;

const WIDTH = 64;
const HEIGHT = 48;

export async function makePictures() {
  const photo = (): Sharp =>
    sharp(packageFile('samples/bear.jpg')).resize(WIDTH, HEIGHT, { fit: 'fill' });
  const frames = await photo().resize(32, 96, { fit: 'fill' }).removeAlpha().raw().toBuffer();
  const raw = { width: 32, height: 96, channels: 3, pageHeight: 32 } as const;
  const animation = (): Sharp => sharp(frames, { raw });
  const transparent = (): Sharp => photo().ensureAlpha(0.5);
  return {
    jpeg: await photo().jpeg().toBuffer(),
    progressive: await photo().jpeg({ progressive: true }).toBuffer(),
    'jpeg of CMYK': await photo().toColourspace('cmyk').jpeg().toBuffer(),
    'grey jpeg': await photo().greyscale().jpeg().toBuffer(),
    'jpeg with a profile and EXIF': await photo()
      .withIccProfile('p3')
      .withExif({ IFD0: { Copyright: 'nobody', Orientation: '8' } })
      .jpeg()
      .toBuffer(),
    png: await photo().png().toBuffer(),
    'interlaced png': await transparent().png({ progressive: true }).toBuffer(),
    'png with a palette': await photo().png({ palette: true }).toBuffer(),
    'png of 16 bits': await photo().toColourspace('rgb16').png().toBuffer(),
    webp: await photo().webp().toBuffer(),
    'lossless webp': await transparent().webp({ lossless: true }).toBuffer(),
    'webp with alpha': await transparent().webp().toBuffer(),
    'animated webp': await animation().webp({ effort: 0 }).toBuffer(),
    gif: await photo().gif({ effort: 1 }).toBuffer(),
    'animated gif': await animation().gif({ effort: 1 }).toBuffer(),
    avif: await photo().avif({ effort: 0 }).toBuffer(),
    'avif with alpha': await transparent().avif({ effort: 0 }).toBuffer(),
    tiff: await photo().tiff({ compression: 'none' }).toBuffer(),
    'tiff of LZW': await photo().tiff({ compression: 'lzw', predictor: 'horizontal' }).toBuffer(),
    'tiff of JPEG': await photo().tiff({ compression: 'jpeg' }).toBuffer(),
    'tiff of tiles': await photo()
      .tiff({ compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 })
      .toBuffer(),
    'tiff of a pyramid': await photo().tiff({ compression: 'lzw', pyramid: true }).toBuffer(),
    'tiff of 1 bit': await photo()
      .toColourspace('b-w')
      .threshold()
      .tiff({ compression: 'ccittfax4', bitdepth: 1 })
      .toBuffer(),
  };
}
