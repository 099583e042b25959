/** JPEG to pixels of the model's size as sharp does it when it is simply asked to. */
import sharp from 'sharp';
import { onEachPhoto, report } from './child.ts';

sharp.concurrency(1);

await report(
  await onEachPhoto(1, (photo) =>
    sharp(photo).resize(224, 224, { fit: 'cover', kernel: 'cubic' }).removeAlpha().raw().toBuffer(),
  ),
);
process.disconnect();
