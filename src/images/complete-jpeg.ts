const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/**
 * A JPEG that ends within a table between two scans, ended before that table: libjpeg takes what is there of it for
 * the whole table and gives all scans up, while browsers show those that came before. Any other JPEG is given back
 * as it is. See ITU-T T.81, annex B.
 */
export function completeJpeg(bytes: Buffer): Buffer {
  let scans = 0;
  for (let at = 2; at < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === END_OF_IMAGE) return bytes;
    const end = at + 4 <= bytes.length ? at + 2 + bytes.readUInt16BE(at + 2) : Infinity;
    if (end > bytes.length) {
      if (scans === 0) return bytes;
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff, END_OF_IMAGE])]);
    }
    scans += Number(marker === START_OF_SCAN);
    at = marker === START_OF_SCAN ? endOfScan(bytes, end) : end;
  }
  return bytes;
}

/** Where the next marker is that is no restart; a zero behind 0xff makes it data. */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = from; (at = bytes.indexOf(0xff, at)) >= 0; at += 2) {
    const next = bytes[at + 1] ?? 0;
    const isData = next === 0 || (next >= 0xd0 && next <= 0xd7);
    if (!isData && next !== 0xff) return at;
    if (next === 0xff) at -= 1;
  }
  return bytes.length;
}
