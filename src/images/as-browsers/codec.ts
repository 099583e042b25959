/** What bringing bytes to what browsers show needs of the native library. */
export interface Codec {
  /** The same PNG with 8 bits for each sample, its profile left out. */
  toEightBits(png: Buffer): Promise<Buffer>;
  /** RGB of the pixels of a PNG, through its profile. */
  pixelsOf(png: Buffer): Promise<Uint8Array>;
}
