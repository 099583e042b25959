/** Generated files that people see differently than they are judged, and why. */
const PARTS_MISSING = 'the file is damaged: what is missing differs, or it is refused';
const TONE_MAPPED =
  'HDR: browsers map its tones to the display, and by the metadata; here it is shown flat';

export const OUTLIERS = new Map<string, string>([
  [
    'jpeg-cmyk-profile.jpg',
    'inks by a profile: Chromium tints them; lcms gives what the table says',
  ],
  ['png-hdr-pq.png', TONE_MAPPED],
  ['png-hdr-hlg.png', TONE_MAPPED],
  ['avif-hdr-pq.avif', TONE_MAPPED],
  ['avif-hdr-hlg.avif', TONE_MAPPED],
  ['gif-no-colours.gif', 'no colour table at all: black there, greys of a default palette here'],
  ['jpeg-damage-no-eoi.jpg', PARTS_MISSING],
  ['jpeg-damage-cut-60.jpg', PARTS_MISSING],
  ['jpeg-damage-cut-90.jpg', PARTS_MISSING],
  ['jpeg-damage-cut-profile.jpg', PARTS_MISSING],
  ['png-damage-cut-30.png', PARTS_MISSING],
  ['png-damage-cut-60.png', PARTS_MISSING],
  ['png-damage-cut-90.png', PARTS_MISSING],
  ['webp-damage-cut-60.webp', PARTS_MISSING],
  ['webp-damage-cut-90.webp', PARTS_MISSING],
  ['webp-damage-lossless-cut-60.webp', PARTS_MISSING],
  ['gif-damage-cut-60.gif', PARTS_MISSING],
  ['gif-damage-cut-90.gif', PARTS_MISSING],
  ['avif-damage-cut-60.avif', PARTS_MISSING],
  ['avif-damage-cut-90.avif', PARTS_MISSING],
]);
