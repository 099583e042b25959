import { randomUUID } from 'node:crypto';
import { fromBase64 } from './base64.ts';

const KEY = Buffer.from('"bytes"');
/** Shorter ones are as soon parsed as taken out. */
const LEAST = 4096;
/** Stands for the bytes in what is parsed. No event can know it. */
const MARK = Buffer.from(randomUUID());
const [QUOTE, COLON] = [0x22, 0x3a];

/** A text, and what was taken out of it. */
export interface Apart {
  text: Buffer;
  /** For `JSON.parse`: puts it back. */
  reviver: (key: string, value: unknown) => unknown;
}

/**
 * Takes the first long value of a `bytes` out of JSON: an image is nearly all of its event, and parsed with it would
 * be read and copied twice more. Null where there is none, or it is not plain base64. A base64 alphabet holds neither
 * quotes nor backslashes, so what looks like a key and an opening quote is one, whatever strings are around it.
 */
export function takeBytesApart(json: Buffer): Apart | null {
  const key = json.indexOf(KEY);
  const from = key < 0 ? 0 : afterQuote(json, key + KEY.length);
  const to = from === 0 ? -1 : json.indexOf(QUOTE, from);
  if (to - from < LEAST) return null;
  const bytes = fromBase64(json.toString('latin1', from, to));
  if (bytes === undefined) return null;
  const mark = MARK.toString();
  return {
    text: Buffer.concat([json.subarray(0, from), MARK, json.subarray(to)]),
    reviver: (_, value) => (value === mark ? bytes : value),
  };
}

/** Behind a colon and a quote, with white space around them or none; 0 where something else is there. */
function afterQuote(json: Buffer, from: number): number {
  const colon = afterSpace(json, from);
  if (json[colon] !== COLON) return 0;
  const quote = afterSpace(json, colon + 1);
  return json[quote] === QUOTE ? quote + 1 : 0;
}

/** Where the white space ends that begins at `from`. */
export function afterSpace(json: Buffer, from: number): number {
  let at = from;
  while (json[at] === 0x20 || json[at] === 0x09 || json[at] === 0x0a || json[at] === 0x0d) at += 1;
  return at;
}
