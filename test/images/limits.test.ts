import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { createDecoderPool, type DecoderPool } from '../../src/images/decoder-pool.ts';
import { clipSpec } from '../support/tiny-clip.ts';

let decoder: DecoderPool;
beforeAll(() => {
  decoder = createDecoderPool({
    preprocess: clipSpec,
    processes: 1,
    timeoutMs: 20_000,
    memoryBytes: 2 ** 30,
    maxPixels: 10_000,
    maxEdge: 300,
    maxFrames: 4,
  });
});
afterAll(() => decoder.close());

const blank = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#336699' } });

/** A GIF of as many frames, no two alike. */
function animation(frames: number): Promise<Buffer> {
  const data = Buffer.from(Array.from({ length: frames }, (_, i) => [i * 20, 0, 255]).flat());
  const raw = { width: 1, height: frames, channels: 3, pageHeight: 1 } as const;
  return sharp(data, { raw }).gif().toBuffer();
}

describe('images.maxEdge', () => {
  it.each([
    [300, 20],
    [20, 300],
  ])('lets %i x %i pass', async (width, height) => {
    const image = await decoder.decode(await blank(width, height).png().toBuffer());
    expect(image).toMatchObject({ width, height });
  });

  it.each([
    [301, 20],
    [20, 301],
  ])('refuses %i x %i, although it has few pixels', async (width, height) => {
    const refused = decoder.decode(await blank(width, height).png().toBuffer());
    await expect(refused).rejects.toMatchObject({
      code: 'image_too_many_pixels',
      message: expect.stringContaining(`${width}x${height} is more than the limit`),
    });
  });
});

describe('images.maxFrames', () => {
  it('lets as many frames pass', async () => {
    await expect(decoder.decode(await animation(4))).resolves.toMatchObject({ frames: 4 });
  });

  it('refuses more, although only the first is decoded', async () => {
    await expect(decoder.decode(await animation(5))).rejects.toMatchObject({
      code: 'image_too_many_frames',
      disposition: 'not-inspected',
      message: expect.stringContaining('5 frames'),
    });
  });
});
