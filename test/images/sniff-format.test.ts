import { describe, expect, it } from '@jest/globals';

import { sniffFormat } from '../../src/images/sniff-format.ts';

const ftyp = (...brands: string[]): Buffer => {
  const box = Buffer.from(`\0\0\0\0ftyp${brands[0]}\0\0\0\0${brands.slice(1).join('')}`);
  box.writeUInt32BE(box.length);
  return box;
};

describe('an ISO base media file', () => {
  it('is an AVIF where it may be read as one', () => {
    expect(sniffFormat(ftyp('avif', 'mif1', 'miaf'))).toBe('avif');
    expect(sniffFormat(ftyp('mif1', 'miaf', 'avif'))).toBe('avif');
  });

  it('is none where browsers play it as a sequence, of which a still picture would be judged', () => {
    expect(sniffFormat(ftyp('avis', 'avif', 'msf1'))).toBeNull();
    expect(sniffFormat(ftyp('avif', 'mif1', 'avis'))).toBeNull();
  });

  it('is none by what comes behind its brands, or by its version', () => {
    expect(sniffFormat(Buffer.concat([ftyp('heic', 'mif1'), Buffer.from('avif')]))).toBeNull();
    const version = ftyp('heic', 'mif1');
    version.write('avif', 12);
    expect(sniffFormat(version)).toBeNull();
  });
});
