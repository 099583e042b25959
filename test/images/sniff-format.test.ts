import { describe, expect, it } from '@jest/globals';
import { isCutShort } from '../../src/images/sniff-format.ts';

/** A file-type box, and one whose length stands in 64 bits behind its type. */
function boxOf(largeSize: bigint, content = 0): Buffer {
  const ftyp = Buffer.from('\0\0\0\x10ftypavif\0\0\0\0', 'latin1');
  const head = Buffer.from('\0\0\0\x01mdat\0\0\0\0\0\0\0\0', 'latin1');
  head.writeBigUInt64BE(largeSize, 8);
  return Buffer.concat([ftyp, head, Buffer.alloc(content)]);
}

describe('an ISO box whose length has 64 bits', () => {
  it.each([0n, 1n, 15n])(
    'and is %d ends nevertheless, for it holds at least its own head',
    (size) => {
      expect(isCutShort(boxOf(size), 'avif')).toBe(false);
    },
  );

  it('reaches as far as it says', () => {
    expect(isCutShort(boxOf(20n, 4), 'avif')).toBe(false);
    expect(isCutShort(boxOf(20n, 3), 'avif')).toBe(true);
    expect(isCutShort(boxOf(2n ** 64n - 1n), 'avif')).toBe(true);
  });
});
