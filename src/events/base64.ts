/**
 * Only canonical base64 (RFC 4648, section 4). Node's decoder also takes the URL alphabet, unused bits and the low
 * byte of any letter, and skips what it does not know: then the bytes are too few for the text, or the text does not
 * end as they would be written. Writing all of them to compare would take several times as long.
 */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (text.length !== 4 * Math.ceil(bytes.length / 3)) return undefined;
  if (Buffer.byteLength(text) !== text.length || text.includes('-') || text.includes('_'))
    return undefined;
  const end = bytes.length - (bytes.length % 3 || 3);
  return bytes.toString('base64', Math.max(end, 0)) === text.slice(-4) ? bytes : undefined;
}
