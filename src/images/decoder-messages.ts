import type { DecodedImage, PreprocessSpec, ViewSettings, WantedFacts } from './image-decoder.ts';
import type { ErrorCode } from '../errors.ts';
import type { ImageFingerprint } from './image-fingerprint.ts';
import type { ImageFormat } from './sniff-format.ts';

/** Given to a decoder process as its one argument, in JSON. */
export interface DecoderSettings {
  preprocess: PreprocessSpec;
  /** What is decoded, by its content. */
  formats: readonly ImageFormat[];
  /** The most pixels of an encoded image (width × height of one frame). */
  maxPixels: number;
  /** The most pixels of its width, and of its height. */
  maxEdge: number;
  /** The most frames or pages of it. */
  maxFrames: number;
  views: ViewSettings;
}

/** What a decoder process is asked to do. It does one thing at a time. */
export type DecoderRequest =
  | ({ task: 'decode'; bytes: Uint8Array } & WantedFacts)
  | { task: 'fingerprint'; bytes: Uint8Array }
  | { task: 'thumbnail'; bytes: Uint8Array; maxEdge: number };

/** What each task gives. */
export interface DecoderResults {
  decode: DecodedImage;
  thumbnail: Uint8Array;
  fingerprint: ImageFingerprint;
}

export type DecoderResult = DecoderResults[keyof DecoderResults];

/** A request with a number that is in the reply to it. */
export interface DecoderJob {
  job: number;
  request: DecoderRequest;
}

export type DecoderReply =
  | { kind: 'ready' }
  | { kind: 'done'; job: number; result: DecoderResult }
  | { kind: 'failed'; job: number; code: ErrorCode; message: string };
