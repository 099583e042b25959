const ELLIPSIS = '…';
const ELLIPSIS_BYTES = 3;

/** Control characters with a JSON escape of two characters: \b \t \n \f \r. */
const SHORT_ESCAPES = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d]);

/**
 * The text when it takes at most `maxBytes` in JSON, else its beginning and an ellipsis that do. Bytes are counted
 * as UTF-8 with JSON's escapes, so the text takes no more in Avro. Lone surrogates become U+FFFD.
 */
export function cutText(text: string, maxBytes: number): string {
  if (text.length * 6 <= maxBytes) return text.toWellFormed();
  let bytes = 0;
  let end = 0; // the end of what fits in front of an ellipsis
  let at = 0;
  for (const character of text.slice(0, maxBytes + 1)) {
    bytes += jsonBytes(character.codePointAt(0) ?? 0);
    if (bytes > maxBytes) return text.slice(0, end).toWellFormed() + ELLIPSIS;
    at += character.length;
    if (bytes <= maxBytes - ELLIPSIS_BYTES) end = at;
  }
  return text.toWellFormed();
}

function jsonBytes(codePoint: number): number {
  if (codePoint < 0x20) return SHORT_ESCAPES.has(codePoint) ? 2 : 6;
  if (codePoint === 0x22 || codePoint === 0x5c) return 2;
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/** A copy of a message in which each string, at any depth, is cut to `maxBytes`; names of fields only lose lone surrogates. */
export function cutTexts<T>(value: T, maxBytes: number): T {
  return cutWithin(value, maxBytes) as T;
}

function cutWithin(value: unknown, maxBytes: number): unknown {
  if (typeof value === 'string') return cutText(value, maxBytes);
  if (Array.isArray(value)) return value.map((item) => cutWithin(item, maxBytes));
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name.toWellFormed(), cutWithin(inner, maxBytes)]),
  );
}
