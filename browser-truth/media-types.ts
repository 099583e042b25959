import type { ImageFormat } from '../src/images/sniff-format.ts';

/** What browsers show, and what they call it. */
export const MEDIA_TYPES: Partial<Record<ImageFormat, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  avif: 'image/avif',
};
