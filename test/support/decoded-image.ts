import type { DecodedImage, Pixels, View } from '../../src/images/image-decoder.ts';

/** An image of one frame, looked at once. */
export function aDecodedImage(pixels: Pixels, overrides: Partial<DecodedImage> = {}): DecodedImage {
  const { width = 1, height = 1 } = overrides;
  const box = { left: 0, top: 0, width, height };
  const region = { frame: 0, crop: 'center', box, background: null } as const;
  const facts = { format: 'png', width, height, frames: 1, damaged: false, pdq: null };
  return { views: [{ pixels, region }], ...facts, ...overrides };
}

/** What the model's own preprocessing shows of the first frame. */
export function firstView({ views }: DecodedImage): View {
  const [view] = views;
  if (view === undefined) throw new Error('an image without a view');
  return view;
}
