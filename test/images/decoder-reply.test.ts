import { describe, expect, it } from '@jest/globals';

import { createReplyReader } from '../../src/images/decoder-reply.ts';
import { DEFAULT_VIEWS } from '../../src/images/image-decoder.ts';
import { done, failed, hostileReplies, image } from '../support/hostile-replies.ts';
import { clipSpec } from '../support/tiny-clip.ts';

const settings = {
  preprocess: clipSpec,
  formats: ['jpeg', 'png'] as const,
  maxPixels: 1e7,
  maxEdge: 65_535,
  maxFrames: 100,
  views: DEFAULT_VIEWS,
};
const reader = createReplyReader(settings);
const bytes = new Uint8Array(1);
const decode = { job: 7, request: { task: 'decode', bytes } } as const;
const thumbnail = { job: 7, request: { task: 'thumbnail', bytes, maxEdge: 10 } } as const;
const fingerprint = { job: 7, request: { task: 'fingerprint', bytes } } as const;
const malformed = { kind: 'malformed', why: expect.stringMatching(/./) };
const webp = (size: number) => Buffer.alloc(size).fill('RIFF....WEBP', 0, 12);
const pdq = { hash: '0f'.repeat(32), quality: 50, format: 'png', width: 4, height: 4 };

describe('the reply of a decoder process', () => {
  it('is taken when it answers what was asked', () => {
    expect(reader.read({ kind: 'ready' }, 'ready')).toEqual({ kind: 'ready' });
    expect(reader.read(done(7, image(clipSpec)), decode)).toMatchObject({ kind: 'done' });
    expect(reader.read(failed(7, 'image_corrupt'), decode)).toMatchObject({
      code: 'image_corrupt',
    });
    expect(reader.read(done(7, webp(100)), thumbnail)).toMatchObject({ kind: 'done' });
    expect(reader.read(done(7, pdq), fingerprint)).toMatchObject({ result: pdq });
  });

  it('may say that the image is damaged only where such images are inspected', () => {
    const damaged = done(7, image(clipSpec, { damaged: true }));
    expect(reader.read(damaged, decode)).toMatchObject({ result: { damaged: true } });
    const views = { ...DEFAULT_VIEWS, damaged: 'refuse' as const };
    expect(createReplyReader({ ...settings, views }).read(damaged, decode)).toEqual(malformed);
  });

  it('loses what is not known of it', () => {
    const reply = reader.read({ ...done(7, { ...pdq, more: 1 }), more: 1 }, fingerprint);
    expect(reply).toEqual(done(7, pdq));
  });

  it('has no long message', () => {
    const reply = reader.read({ ...failed(7, 'image_corrupt'), message: 'x'.repeat(1e6) }, decode);
    expect(JSON.stringify(reply).length).toBeLessThan(1_200);
  });

  it.each(Object.entries(hostileReplies(clipSpec)))('is refused with %s', (_, reply) => {
    expect(reader.read(reply(7), decode)).toEqual(malformed);
  });

  it.each<[string, unknown]>([
    ['that is larger than its pixels', done(7, webp(100_000))],
    ['that is no WebP', done(7, Buffer.from('<svg onload="alert(1)"/>'))],
    ['that is an image', done(7, image(clipSpec))],
  ])('is refused with a thumbnail %s', (_, reply) => {
    expect(reader.read(reply, thumbnail)).toEqual(malformed);
  });

  it.each<[string, object]>([
    ['too short', { hash: '0f' }],
    ['no hash', { hash: 'g'.repeat(64) }],
    ['of endless quality', { quality: Infinity }],
  ])('is refused with a fingerprint that is %s', (_, wrong) => {
    expect(reader.read(done(7, { ...pdq, ...wrong }), fingerprint)).toEqual(malformed);
  });

  it('is refused before the process was ready, and when nothing was asked', () => {
    expect(reader.read(done(7, image(clipSpec)), 'ready')).toEqual(malformed);
    expect(reader.read(done(7, image(clipSpec)), null)).toEqual(malformed);
  });
});
