/** Bounds for a JSON text. */
export interface JsonBounds {
  /** Arrays and objects inside each other. */
  depth: number;
  /** Values, of members and items together. */
  values: number;
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Throws Error for a text that nests deeper or holds more values than it may, before `JSON.parse` spends memory and
 * time on them: 25 MB of `[` take it seconds. One pass over the bytes, strings skipped by `indexOf`; what is no JSON
 * at all is for `JSON.parse` to say.
 */
export function assertJsonWithin(json: Buffer, bounds: JsonBounds): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case QUOTE:
        at = endOfString(json, at);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        // Without a comma, an item or a member is announced by nothing but its bracket.
        values++;
        if (++depth > bounds.depth) throw new Error(`nested deeper than ${bounds.depth} levels`);
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
      case COLON:
        // A member has both; counting either keeps the pass simple and the bound within a factor of two.
        values++;
        break;
      default:
    }
    if (values > 2 * bounds.values) throw new Error(`more than ${bounds.values} values`);
  }
}

/**
 * The position of the quote that ends the string begun at `from`; beyond the last byte where none does. Images are
 * found by `indexOf`, at the speed of memory; strings with escaped quotes are gone through byte by byte.
 */
function endOfString(json: Buffer, from: number): number {
  const quote = json.indexOf(QUOTE, from + 1);
  if (quote < 0) return json.length;
  if (json[quote - 1] !== BACKSLASH) return quote;
  let at = from + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
