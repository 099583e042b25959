/** What bringing bytes to what browsers show needs of the native library. */
export interface Codec {
  /** The same PNG with 8 bits for each sample, as grey or as RGB, upright and without its profile. */
  toEightBits(png: Buffer, grey: boolean): Promise<Buffer>;
  /** RGBA of the pixels of a PNG, through its profile. */
  rgbaOf(png: Buffer): Promise<Uint8Array>;
  /** RGB of the pixels of a PNG, through its profile. */
  pixelsOf(png: Buffer): Promise<Uint8Array>;
}
