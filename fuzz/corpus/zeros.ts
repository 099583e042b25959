import { constants, deflateRawSync } from 'node:zlib';

const BLOCK = 2 ** 20;
/** Modulus of Adler-32, RFC 1950. */
const ADLER = 65_521;

/**
 * `length` zero bytes as a zlib stream (RFC 1950), made in no time: a block that is flushed in full refers to
 * nothing before it, so it can be repeated.
 */
export function zlibOfZeros(length: number): Buffer {
  const blocks = Math.floor(length / BLOCK);
  const block = deflateRawSync(Buffer.alloc(BLOCK), { finishFlush: constants.Z_FULL_FLUSH });
  const rest = deflateRawSync(Buffer.alloc(length % BLOCK));
  const checksum = Buffer.alloc(4);
  checksum.writeUInt16BE(length % ADLER);
  checksum.writeUInt16BE(1, 2);
  const repeated = Array.from({ length: blocks }, () => block);
  return Buffer.concat([Buffer.from([0x78, 0x01]), ...repeated, rest, checksum]);
}
