import { expect, it } from '@jest/globals';

import { geometryOf } from '../../src/images/geometry.ts';
import { clipSpec, siglipSpec } from '../support/tiny-clip.ts';

it.each([
  // Of transformers' get_resize_output_image_size and center_crop.
  [640, 480, 298, 224, 37, 0],
  [480, 640, 224, 298, 0, 37],
  [451, 300, 336, 224, 56, 0],
  [224, 224, 224, 224, 0, 0],
  [10, 7, 320, 224, 48, 0],
  [900, 60, 3360, 224, 1568, 0],
  [427, 640, 224, 335, 0, 55],
])('CLIP: %d × %d becomes %d × %d, cut at %d, %d', (width, height, toWidth, toHeight, x, y) => {
  const { horizontal, vertical } = geometryOf(clipSpec, width, height);
  expect([horizontal.target, vertical.target]).toEqual([toWidth, toHeight]);
  expect([horizontal.offset, vertical.offset]).toEqual([x, y]);
  expect([horizontal.length, vertical.length]).toEqual([224, 224]);
});

it('SigLIP: any image becomes the square, whole', () => {
  const { horizontal, vertical } = geometryOf(siglipSpec, 900, 60);
  expect(horizontal).toEqual({
    input: 900,
    target: 224,
    offset: 0,
    length: 224,
    output: 224,
    pad: 0,
  });
  expect(vertical).toEqual({ input: 60, target: 224, offset: 0, length: 224, output: 224, pad: 0 });
});
