import { browserProfile } from './browser-profile.ts';

/** Flags of VP8X; RFC 9649, section 2.7.1. */
const HAS_PROFILE = 0x20;
/** A chunk of this name is skipped by every reader. */
const NO_NAME = 'skip';
const FIRST_CHUNK = 12;

/** The profile as browsers read it, or none, and no orientation: browsers do not turn a WebP. In place, so that nothing moves. */
export function webpAsBrowsers(webp: Buffer): Buffer {
  if (webp.toString('latin1', FIRST_CHUNK, FIRST_CHUNK + 4) !== 'VP8X') return webp;
  if (webp.length < FIRST_CHUNK + 18) return webp;
  const hasProfile = (webp.readUInt8(FIRST_CHUNK + 8) & HAS_PROFILE) !== 0;
  const copy = Buffer.from(webp);
  let profiled = false;
  let changed = false;
  for (let at = FIRST_CHUNK; at + 8 <= webp.length;) {
    const content = at + 8;
    const end = content + webp.readUInt32LE(at + 4);
    const type = webp.toString('latin1', at, at + 4);
    if (type === 'EXIF') {
      copy.write(NO_NAME, at, 'latin1');
      changed = true;
    } else if (type === 'ICCP' && end <= webp.length) {
      const icc = webp.subarray(content, end);
      const profile = hasProfile && !profiled ? browserProfile(icc, 'RGB ') : null;
      profiled = true;
      if (profile === null) copy.write(NO_NAME, at, 'latin1');
      else if (profile !== 'srgb') profile.copy(copy, content);
      changed ||= profile !== 'srgb';
    }
    at = end + (end % 2);
  }
  return changed ? copy : webp;
}
