import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { foreignEntries } from '../../fuzz/corpus/foreign.ts';
import { nameContent } from '../../src/images/name-content.ts';
import { packageFile } from '../../src/package-files.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const ftyp = (major: string, ...others: string[]): Buffer =>
  latin1(
    `\0\0\0${String.fromCharCode(16 + 4 * others.length)}ftyp${major}\0\0\0\0${others.join('')}`,
  );

describe('content that is not decoded', () => {
  it.each<[string, Buffer]>([
    ['a HEIC', readFileSync(packageFile('samples/phone-photo.heic'))],
    ['a HEIC', ftyp('mif1', 'heix')],
    ['a HEIC', ftyp('hevc', 'msf1')],
    ['a HEIF of another coding', ftyp('mif1', 'miaf')],
    ['an AVIF sequence', ftyp('avis', 'avif', 'msf1')],
    ['an AVIF sequence', ftyp('avif', 'mif1', 'avis')],
    ['a Canon raw photo', ftyp('crx ', 'isom')],
    ['an MP4 video', ftyp('isom', 'mp42')],
    ['an MP4 video', ftyp('never seen'.slice(0, 4))],
    ['a QuickTime movie', ftyp('qt  ')],
    ['a JPEG XL', latin1('\xff\x0a\xfa\x7f')],
    ['a JPEG XL', latin1('\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ')],
    ['a JPEG 2000', latin1('\0\0\0\x0cjP  \r\n\x87\n')],
    ['a JPEG 2000', latin1('\xff\x4f\xff\x51\0\x2f')],
    ['a BMP', latin1('BM\x36\x0c\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0')],
    ['an ICO', latin1('\0\0\x01\0\x02\0\x20\x20\0\0\x01\0')],
    ['a CUR', latin1('\0\0\x02\0\x01\0\x20\x20\0\0\x01\0')],
    ['an SVG', latin1('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    [
      'an SVG',
      Buffer.from('\ufeff<?xml version="1.0"?>\n<!-- drawn by hand -->\n<svg\nwidth="9"/>'),
    ],
    ['a Photoshop document', latin1('8BPS\0\x01\0\0\0\0\0\0')],
    ['a PDF', latin1('%PDF-1.7\n%\xe2\xe3')],
    ['an AVI video', latin1('RIFF\x88\x01\0\0AVI LIST')],
    ['a Matroska or WebM video', latin1('\x1a\x45\xdf\xa3\x9f')],
    ['a ZIP', latin1('PK\x03\x04\x14\0')],
    ['an HTML page', latin1('<!DOCTYPE html>\n<html lang="en">')],
    ['text', Buffer.from('BMW, MM and II: Grüße\n')],
    ['text', latin1('<?xml version="1.0"?><note/>')],
    ['an empty file', Buffer.alloc(0)],
    ['not an image of a known format', Buffer.alloc(10_000)],
    ['not an image of a known format', latin1('\0\0\x01\0\0\0')],
  ])('is named: %s', (name, bytes) => {
    expect(nameContent(bytes).name).toBe(name);
  });

  it('is called an image where people would call it one', () => {
    const images = ['\xff\x0a', 'BM\x36\x0c\0\0\0\0\0\0', '<svg/>', '\xff\xd8\xff'].map(latin1);
    expect(images.map((bytes) => nameContent(bytes).image)).toEqual([true, true, true, true]);
    const others = ['%PDF-1.7', 'text', '', '\0'].map(latin1);
    expect(others.some((bytes) => nameContent(bytes).image)).toBe(false);
  });

  it('has some name, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
        expect(nameContent(Buffer.from(bytes)).name).toMatch(/\w/);
      }),
    );
  });

  it('is named within a moment, however its text repeats itself', () => {
    const startedAt = performance.now();
    for (const text of ['<!--', ' ', '<?xml', '<!DOCTYPE <svg', 'P1 ']) {
      nameContent(Buffer.from(text.repeat(1_000_000)));
    }
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('is known of what the fuzzer has of other formats, but for noise and rare ones', () => {
    const unnamed = foreignEntries()
      .filter(({ bytes }) => nameContent(bytes).name.startsWith('not '))
      .map(({ name }) => name);
    expect(unnamed).toEqual([
      ...['three bytes of a jpeg, less one', 'seven bytes of a png', 'zeros', 'bytes of 0xff'],
      ...['matlab', 'analyze', 'vips, raw', 'ImageMagick script'],
    ]);
  });
});
