/** What the JPEG codec alone takes for the centre square, without looking at it or resizing it. */
import { decodeJpeg } from '../../src/images/jpeg-codec.ts';
import { readJpegHeader } from '../../src/images/jpeg-header.ts';
import { onEachPhoto, report } from './child.ts';

await report(
  await onEachPhoto(1, (photo) => {
    const header = readJpegHeader(photo);
    if (header === null) throw new Error('one of the photos is not an ordinary JPEG');
    const { width, height } = header;
    const edge = Math.min(width, height);
    const [left, top] = [(width - edge) >> 1, (height - edge) >> 1];
    decodeJpeg(photo, header, { left, top, width: edge, height: edge });
    return Promise.resolve();
  }),
);
process.disconnect();
