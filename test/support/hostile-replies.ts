import { aDecodedImage } from './decoded-image.ts';

type Reply = Record<string, unknown>;

interface Size {
  width: number;
  height: number;
}

/** An honest answer about an image of 4 × 4 pixels. */
export function image({ width, height }: Size, overrides: Reply = {}): Reply {
  const data = Buffer.alloc(width * height * 3);
  const honest = aDecodedImage({ data, width, height }, { width: 4, height: 4 });
  return { ...honest, ...overrides };
}

function withPixels(size: Size, pixels: Reply): Reply {
  const [view] = image(size)['views'] as [{ pixels: Reply; region: Reply }];
  return image(size, { views: [{ ...view, pixels: { ...view.pixels, ...pixels } }] });
}

function withRegion(size: Size, region: Reply): Reply {
  const [view] = image(size)['views'] as [{ pixels: Reply; region: Reply }];
  return image(size, { views: [{ ...view, region: { ...view.region, ...region } }] });
}

const box = { left: 0, top: 0, width: 4, height: 4 };
export const done = (job: number, result: unknown): Reply => ({ kind: 'done', job, result });
export const failed = (job: number, code: unknown): Reply => ({
  kind: 'failed',
  job,
  code,
  message: 'x',
});

/** Replies that no decoder process gives to a request for such views, by what is wrong with them. */
export const hostileReplies = (size: Size): Record<string, (job: number) => unknown> => ({
  'no object': () => 'done',
  'an unknown kind': (job) => ({ kind: 'finished', job }),
  'ready again': () => ({ kind: 'ready' }),
  'another job': (job) => done(job + 1, image(size)),
  'no job': () => ({ kind: 'done', result: image(size) }),
  'no result': (job) => ({ kind: 'done', job }),
  'no views': (job) => done(job, image(size, { views: [] })),
  'too many views': (job) =>
    done(
      job,
      image(size, {
        views: Array.from({ length: 200 }, () => (image(size)['views'] as [unknown])[0]),
      }),
    ),
  'pixels that are too few': (job) => done(job, withPixels(size, { data: Buffer.alloc(12) })),
  'pixels that are text': (job) => done(job, withPixels(size, { data: 'x' })),
  'a width that does not fit': (job) => done(job, withPixels(size, { width: size.width + 1 })),
  'a NaN dimension': (job) => done(job, image(size, { width: NaN })),
  'a negative dimension': (job) => done(job, image(size, { height: -4 })),
  'half a pixel': (job) => done(job, image(size, { width: 4.5 })),
  'a dimension beyond the limit': (job) => done(job, image(size, { width: 1e6 })),
  'a region outside': (job) => done(job, withRegion(size, { box: { ...box, left: 1 } })),
  'a frame there is none of': (job) => done(job, withRegion(size, { frame: 1 })),
  'an unknown format': (job) => done(job, image(size, { format: 'exe' })),
  'a hash nobody asked for': (job) =>
    done(job, image(size, { pdq: { hash: '0'.repeat(64), quality: 100 } })),
  'an unknown code': (job) => failed(job, 'image_haunted'),
  'a fatal code': (job) => failed(job, 'encoder_failed'),
  'a code that is retried': (job) => failed(job, 'image_store_unavailable'),
  "the code of another's fault": (job) => failed(job, 'image_not_found'),
  'a code of the prototype': (job) => failed(job, 'constructor'),
  'no message': (job) => ({ kind: 'failed', job, code: 'image_corrupt' }),
});
