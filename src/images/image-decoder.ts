/**
 * Encoded bytes to pixels, as the model's preprocessing asks. Imports no library: the adapter runs the
 * native decoder in processes of its own.
 */

/** Preprocessed pixels of one image: RGB, 8 bits, row by row, interleaved: `[height, width, 3]`. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

export interface DecodedImage {
  pixels: Pixels;
  /** As sniffed from the bytes: jpeg, png, webp, gif, avif, tiff. */
  format: string;
  /** Size as shown, after EXIF orientation, in pixels. */
  width: number;
  height: number;
  frames: number;
  /** Which part of the image the pixels show. */
  crop: 'center' | 'whole';
}

export interface ImageDecoder {
  /**
   * Throws AppError `image_format_unsupported`, `image_truncated`, `image_corrupt`, `image_too_many_pixels`,
   * `image_decode_timeout` or `image_decode_crashed`.
   */
  decode(bytes: Buffer): Promise<DecodedImage>;
  close(): Promise<void>;
}

/**
 * How a model wants its images, read from its `preprocessor_config.json`.
 * - `shortest-edge-crop` (CLIP): scale so that the shortest edge is `resizeTo`, then cut `width` × `height` from the centre.
 * - `squash` (SigLIP): scale to `width` × `height`, whatever the aspect ratio.
 */
export interface PreprocessSpec {
  mode: 'shortest-edge-crop' | 'squash';
  resizeTo: number;
  width: number;
  height: number;
  kernel: 'bicubic' | 'bilinear' | 'lanczos' | 'nearest';
  /** Per channel, of values scaled by `rescale`: normalised = (byte × rescale − mean) / std. */
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
  rescale: number;
}
