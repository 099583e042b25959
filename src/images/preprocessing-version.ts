import { hash } from 'node:crypto';
import type { PreprocessSpec, ViewSettings } from './image-decoder.ts';

/** The library that decodes and scales; a test holds it against the one installed. */
export const DECODER = 'sharp-0.35';

/** Raise it with every change of this room by which the same image gives other pixels. */
const REVISION = 2;

/**
 * Names the way from bytes to pixels, for example `sharp-0.35/bicubic/crop-224-224x224/2`. It changes
 * when the same image would give other pixels; embeddings of different versions do not mix.
 */
export function preprocessingVersion(spec: PreprocessSpec): string {
  const size = `${spec.width}x${spec.height}`;
  const shape = spec.mode === 'squash' ? `squash-${size}` : `crop-${spec.resizeTo}-${size}`;
  return `${DECODER}/${spec.kernel}/${shape}/${REVISION}`;
}

/**
 * Names the way from bytes to views: what is looked at of an image besides, for example
 * `…/2/6-frames/standard/6-tiles/inspect-damaged`.
 */
export function viewsVersion(
  preprocessing: string,
  views: ViewSettings,
  frameKey?: string,
): string {
  const { sampledFrames, looks, tiles, damaged } = views;
  const keyed = frameKey === undefined ? '' : `/key-${hash('sha256', frameKey).slice(0, 8)}`;
  return `${preprocessing}/${sampledFrames}-frames/${looks}/${tiles}-tiles/${damaged}-damaged${keyed}`;
}
