import { deflateRawSync, crc32 } from 'node:zlib';
import { entriesOf, type Entry } from './entry.ts';
import type { Pictures } from './pictures.ts';

/** An archive of one file; APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16. Offsets count from its own start. */
function zip(name: string, content: Buffer): Buffer {
  const data = deflateRawSync(content);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), data]);
  const entry = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\0'),
    common,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

/** What is two things at once: an image to us, and to somebody else a program, an archive or a page. */
export function polyglotEntries({ jpeg, png, gif, webp, tiff }: Pictures): Entry[] {
  const archive = zip('a.txt', Buffer.alloc(50_000, 'zip'));
  const page = Buffer.from('<!DOCTYPE html><html><script>alert(1)</script></html>');
  const pdf = Buffer.from('%PDF-1.4\n1 0 obj<</Length 9>>stream\n');
  // The width of the screen, 0x2a2f, begins a comment of JavaScript.
  const script = Buffer.from(gif);
  script.write('/*', 6, 'latin1');
  const comment = (text: Buffer): Buffer => {
    const head = Buffer.from([0xff, 0xfe, 0, 0]);
    head.writeUInt16BE(text.length + 2, 2);
    return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)]);
  };
  return [
    ...entriesOf('gif', {
      'gif and JavaScript': Buffer.concat([script, Buffer.from('*/=1;alert(1)')]),
      'gif and HTML': Buffer.concat([gif, page]),
    }),
    ...entriesOf('jpeg', {
      'jpeg and ZIP': Buffer.concat([jpeg, archive]),
      'jpeg and PDF in a comment': comment(pdf),
      'jpeg and HTML in a comment': comment(page),
      'jpeg and PHP in a comment': comment(Buffer.from('<?php system($_GET[0]); ?>')),
      'jpeg and another jpeg': Buffer.concat([jpeg, jpeg]),
    }),
    ...entriesOf('png', {
      'png and ZIP': Buffer.concat([png, archive]),
      'png and ELF': Buffer.concat([png, Buffer.from('\x7fELF\x02\x01\x01', 'latin1')]),
      'png and jpeg': Buffer.concat([png, jpeg]),
    }),
    ...entriesOf('webp', { 'webp and ZIP': Buffer.concat([webp, archive]) }),
    ...entriesOf('tiff', { 'tiff and ZIP': Buffer.concat([tiff, archive]) }),
    ...entriesOf(null, {
      'PDF and jpeg': Buffer.concat([pdf, jpeg]),
      'ZIP and png': Buffer.concat([archive, png]),
      'HTML and gif': Buffer.concat([page, gif]),
    }),
  ];
}
