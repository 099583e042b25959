import { describe, expect, it } from '@jest/globals';
import { createMemoryCache } from '../src/cache/memory-cache.ts';
import { AppError } from '../src/errors.ts';
import type { Verdict } from '../src/events/types.generated.ts';
import type { DecodedImage, ImageDecoder } from '../src/images/image-decoder.ts';
import { aDecodedImage } from './support/decoded-image.ts';
import { settle } from './support/fake-clock.ts';
import { setUpPipeline } from './support/pipeline.ts';

/** Decodes what is let through, and counts. */
class GatedDecoder implements ImageDecoder {
  readonly asked: string[] = [];
  readonly #waiting: Array<() => void> = [];
  readonly #decode: (name: string, time: number) => DecodedImage;

  constructor(decode: (name: string, time: number) => DecodedImage) {
    this.#decode = decode;
  }

  async decode(bytes: Buffer): Promise<DecodedImage> {
    const name = bytes.toString();
    this.asked.push(name);
    const time = this.asked.length;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#decode(name, time);
  }

  letThrough(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const named = (name: string, overrides: Partial<DecodedImage> = {}): DecodedImage =>
  aDecodedImage({ data: new Uint8Array(Buffer.from(name)), width: 1, height: 1 }, overrides);

async function runAll(
  names: readonly string[],
  decode: (name: string, time: number) => DecodedImage,
  { maxInFlight = 8, nearDistance = null as number | null } = {},
): Promise<{ verdicts: Verdict[]; asked: string[] }> {
  const images = new GatedDecoder(decode);
  const { pipeline, sink } = setUpPipeline({
    names,
    parts: { images, cache: createMemoryCache({ maxBytes: 1e6, nearDistance }) },
    limits: { maxInFlight },
  });
  const over = new AbortController();
  const run = pipeline.run().finally(() => over.abort());
  while (!over.signal.aborted) {
    await settle();
    images.letThrough();
  }
  await run;
  const verdicts = sink.emissions.map(({ verdict }) => verdict);
  return {
    verdicts: verdicts.toSorted((a, b) => a.input.offset - b.input.offset),
    asked: images.asked,
  };
}

describe('an image that comes again', () => {
  it('is not inspected again, and its verdict says so', async () => {
    const { verdicts, asked } = await runAll(['gun', 'gun'], (name) => named(name), {
      maxInFlight: 1,
    });
    expect(asked).toEqual(['gun']);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['block', 'block']);
    const [first, second] = verdicts;
    expect(first?.reused).toBeNull();
    expect(second?.reused).toEqual({
      by: 'sha256',
      store: 'memory',
      distance: 0,
      sha256: first?.image?.sha256,
    });
    expect(second?.image).toEqual(first?.image);
    expect(second?.policies).toEqual(first?.policies);
    expect(second?.timings).toMatchObject({ decodeMs: null, queueMs: null, inferMs: null });
    expect(second?.verdictId).not.toBe(first?.verdictId);
  });

  it('while it is being inspected waits for that', async () => {
    const { verdicts, asked } = await runAll(['gun', 'gun', 'lake', 'gun'], (name) => named(name));
    expect(asked).toEqual(['gun', 'lake']);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['block', 'block', 'allow', 'block']);
    expect(verdicts.map(({ reused }) => reused?.store ?? null)).toEqual([
      null,
      'flight',
      null,
      'flight',
    ]);
  });

  it('after it could not be inspected is tried anew, each for itself', async () => {
    const { verdicts, asked } = await runAll(['gun', 'gun', 'gun'], (name, time) => {
      if (time === 1) throw new AppError('image_decode_timeout', 'decoding: not done');
      return named(name);
    });
    expect(asked).toEqual(['gun', 'gun', 'gun']);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['not_inspected', 'block', 'block']);
    expect(verdicts.map(({ reused }) => reused)).toEqual([null, null, null]);
  });
});

it('where nothing is kept, each is inspected for itself, also while another is', async () => {
  const images = new GatedDecoder((name) => named(name));
  const { pipeline, sink } = setUpPipeline({ names: ['gun', 'gun'], parts: { images } });
  const run = pipeline.run();
  await settle();
  expect(images.asked).toEqual(['gun', 'gun']);
  images.letThrough();
  await run;
  expect(sink.emissions.map(({ verdict }) => verdict.reused)).toEqual([null, null]);
});

describe('an image that looks like another', () => {
  const pdq = (last: string) => ({ hash: 'a5'.repeat(31) + last, quality: 100 });
  const decode = (name: string): DecodedImage =>
    named(name, { width: name.length, pdq: pdq(name === 'gun' ? 'f0' : 'f1') });

  it('is inspected all the same', async () => {
    const { verdicts } = await runAll(['gun', 'lake'], decode, { maxInFlight: 1 });
    expect(verdicts[1]).toMatchObject({ outcome: 'allow', reused: null });
  });

  it('is taken for it where that is asked for, and keeps its own facts', async () => {
    const { verdicts, asked } = await runAll(['gun', 'lake'], decode, {
      maxInFlight: 1,
      nearDistance: 1,
    });
    expect(asked).toEqual(['gun', 'lake']);
    expect(verdicts[1]).toMatchObject({
      outcome: 'block',
      image: { width: 4, pdq: pdq('f1') },
      reused: { by: 'pdq', store: 'memory', distance: 1, sha256: verdicts[0]?.image?.sha256 },
    });
  });
});

describe('an image of several views', () => {
  it('is judged by the strongest, which the verdict names', async () => {
    const { verdicts } = await runAll(['film'], () => {
      const [calm] = named('lake').views;
      const [gun] = named('gun').views;
      if (!calm || !gun) throw new Error('no view');
      const views = [calm, { ...gun, region: { ...gun.region, frame: 7 } }];
      return named('film', { views, frames: 12 });
    });
    expect(verdicts[0]).toMatchObject({
      outcome: 'block',
      image: { frames: 12, views: 2 },
      policies: [{ id: 'firearms', region: { frame: 7 } }],
    });
  });
});
