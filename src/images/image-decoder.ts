/**
 * Encoded bytes to the views that a model is shown, as its preprocessing asks. The adapter runs the native decoder
 * in processes of its own. This room knows nothing of where bytes come from, of models or of policies.
 */

/** Preprocessed pixels of one image: RGB, 8 bits, row by row, interleaved: `[height, width, 3]`. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

/** A part of an image as shown (upright), in its pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** What of an image its pixels show. */
export interface Region {
  /** Zero-based. */
  frame: number;
  /**
   * `center`: the centre square; `whole`: all of it, squashed where the model wants a square; `tile`: one of the squares
   * that cover a long image; `detail`: one of the smaller squares of a thorough look.
   */
  crop: 'center' | 'whole' | 'tile' | 'detail';
  box: Box;
  /** What the image was laid over; `none`: its alpha was left out of account; null: it has no transparency. */
  background: 'white' | 'black' | 'none' | null;
}

/** One look at an image. */
export interface View {
  pixels: Pixels;
  region: Region;
}

export interface DecodedImage {
  /** At least one, by frame. */
  views: View[];
  /** As sniffed from the bytes: jpeg, png, webp, gif, avif, tiff. */
  format: string;
  /** Size as shown, after EXIF orientation, in pixels. */
  width: number;
  height: number;
  frames: number;
  /** Whether the file is damaged and what can be decoded of it was inspected. */
  damaged: boolean;
  /** The perceptual hash of the first frame: 64 hex digits, and 0–100; null where none was asked for. */
  pdq: { hash: string; quality: number } | null;
}

/** How much of an image is looked at. Part of the preprocessing's version: it changes what is found. */
export interface ViewSettings {
  /** The most frames of an animation (pages of a TIFF): see `chooseFrames` and `choosePages`. */
  sampledFrames: number;
  /** How closely: see `planViews`. */
  looks: 'single' | 'standard' | 'thorough';
  /** The most squares that a long image is covered with; fewer than two: it is squashed. */
  tiles: number;
  /** Whether what can be decoded of a damaged image is inspected, and the verdict marked. */
  damaged: 'inspect' | 'refuse';
}

export const DEFAULT_VIEWS: ViewSettings = {
  sampledFrames: 6,
  looks: 'standard',
  tiles: 6,
  damaged: 'inspect',
};

/** What is found out of an image beside its views. */
export interface WantedFacts {
  /** Its perceptual hash, which costs a second decoding. @default false */
  pdq?: boolean;
  /** What the frames of an animation are drawn by: the same image with the same seed is looked at in the same way. @default '' */
  seed?: string;
}

/** Whom an image is looked at for. */
export interface DecodeOptions extends Pick<WantedFacts, 'pdq'> {
  /** The SHA-256 of the bytes, in hex: with a secret, it makes the seed. @default '' */
  sha256?: string;
  /** Flows share the decoders by the time that their images take. @default '' */
  flow?: string;
}

export interface ImageDecoder {
  /**
   * Throws AppError `image_format_unsupported`, `image_truncated`, `image_corrupt`, `image_too_many_pixels`,
   * `image_too_many_frames`, `image_decode_timeout`, `image_decode_memory` or `image_decode_crashed`.
   */
  decode(bytes: Buffer, options?: DecodeOptions): Promise<DecodedImage>;
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
