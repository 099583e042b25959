import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ClipEncoder } from '../../src/model/clip-encoder.ts';
import type { Pixels } from '../../src/images/image-decoder.ts';
import { dot } from '../../src/model/unit-vectors.ts';

/** What every `ClipEncoder` promises, whatever it computes with. */
export function clipEncoderConformance(
  name: string,
  create: () => Promise<ClipEncoder> | ClipEncoder,
  /** Whether it answers similarities, once it was given prompts. */
  { comparing = true } = {},
): void {
  describe(`${name}, as a ClipEncoder`, () => {
    let encoder: ClipEncoder;
    beforeAll(async () => {
      encoder = await create();
    });
    afterAll(() => encoder.close());

    const picture = (shade: number): Pixels => {
      const { width, height } = encoder.info.preprocess;
      const data = Uint8Array.from({ length: width * height * 3 }, (_, at) =>
        at % 3 === 0 ? 255 - shade : shade,
      );
      return { data, width, height };
    };

    it('tells its identity and how its pixels are made', () => {
      expect(encoder.info.hash).toMatch(/^[0-9a-f]{64}$/);
      expect(encoder.info.preprocessing).not.toBe('');
      expect(encoder.info.scoring.logitScale).toBeGreaterThan(0);
    });

    it('gives one unit vector for each image and text', async () => {
      const images = await encoder.encodeImages([picture(40), picture(90), picture(160)]);
      const texts = await encoder.encodeTexts(['a cat', 'a dog']);
      expect([images.length, texts.length]).toEqual([3, 2]);
      for (const vector of [...images.map(({ embedding }) => embedding), ...texts]) {
        expect(vector).toHaveLength(encoder.info.dimensions);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
      }
    });

    it('keeps the order of a batch, and a batch changes nothing', async () => {
      const shades = [40, 90, 160];
      const together = await encoder.encodeImages(shades.map(picture));
      for (const [at, shade] of shades.entries()) {
        const [alone] = await encoder.encodeImages([picture(shade)]);
        together[at]?.embedding.forEach((value, axis) =>
          expect(value).toBeCloseTo(alone?.embedding[axis] ?? NaN, 5),
        );
      }
    });

    it('compares images with the prompts it was given, and with none before', async () => {
      const own = await create();
      try {
        const [before] = await own.encodeImages([picture(40)]);
        expect(before?.similarities).toBeNull();
        const texts = await own.encodeTexts(['a cat', 'a dog', 'a photo']);
        for (const prompts of [texts, texts.slice(1)]) {
          await own.usePrompts(Float32Array.from(prompts.flatMap((vector) => [...vector])));
          const images = await own.encodeImages([picture(40), picture(160)]);
          for (const { embedding, similarities } of images) {
            expect(embedding).toHaveLength(own.info.dimensions);
            if (!comparing) {
              expect(similarities).toBeNull();
              continue;
            }
            expect(similarities).toHaveLength(prompts.length);
            for (const [at, prompt] of prompts.entries()) {
              expect(similarities?.[at]).toBeCloseTo(dot(embedding, prompt), 4);
            }
          }
        }
        await own.usePrompts(new Float32Array());
        const [after] = await own.encodeImages([picture(40)]);
        expect(after?.similarities).toBeNull();
      } finally {
        await own.close();
      }
    });

    it('gives equal texts equal vectors', async () => {
      const [one, other] = await encoder.encodeTexts(['a cat', 'a cat']);
      expect(one).toEqual(other);
    });

    it('answers nothing for nothing', async () => {
      expect(await encoder.encodeImages([])).toEqual([]);
      expect(await encoder.encodeTexts([])).toEqual([]);
    });

    it('refuses pixels of another size with inference_failed, and goes on', async () => {
      const wrong = { data: new Uint8Array(3), width: 1, height: 1 };
      await expect(encoder.encodeImages([wrong])).rejects.toMatchObject({
        code: 'inference_failed',
      });
      expect(await encoder.encodeImages([picture(70)])).toHaveLength(1);
    });

    it('answers encoder_failed once it is closed, however often that is', async () => {
      const closed = await create();
      await closed.close();
      await closed.close();
      await expect(closed.encodeTexts(['a cat'])).rejects.toMatchObject({ code: 'encoder_failed' });
      await expect(closed.encodeImages([picture(70)])).rejects.toMatchObject({
        code: 'encoder_failed',
      });
    });
  });
}
