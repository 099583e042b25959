import type { PreprocessSpec } from './image-decoder.ts';

/** How one axis of the image becomes one axis of the pixels, all in samples. */
export interface Axis {
  /** Of the image as shown. */
  input: number;
  /** Of the whole axis after the resize. */
  target: number;
  /** The part of the resized axis that is kept. */
  offset: number;
  length: number;
  /** Size of the pixels along this axis, and where the kept part begins in it; the rest is zero. */
  output: number;
  pad: number;
}

export interface Geometry {
  horizontal: Axis;
  vertical: Axis;
}

/**
 * Sizes and offsets exactly as in Hugging Face transformers: `get_resize_output_image_size` rounds the
 * longer edge down, `center_crop` rounds its offset down and, where the image is smaller than the crop,
 * pads with zeros, the larger half before.
 */
export function geometryOf(spec: PreprocessSpec, width: number, height: number): Geometry {
  const { resizeTo } = spec;
  const [targetWidth, targetHeight] =
    spec.mode === 'squash'
      ? [spec.width, spec.height]
      : width <= height
        ? [resizeTo, Math.trunc((resizeTo * height) / width)]
        : [Math.trunc((resizeTo * width) / height), resizeTo];
  return {
    horizontal: crop(width, targetWidth, spec.width),
    vertical: crop(height, targetHeight, spec.height),
  };
}

function crop(input: number, target: number, output: number): Axis {
  return {
    input,
    target,
    offset: Math.max(0, Math.floor((target - output) / 2)),
    length: Math.min(target, output),
    output,
    pad: Math.max(0, Math.ceil((output - target) / 2)),
  };
}
