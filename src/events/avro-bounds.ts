import avsc from 'avsc';

const MAX_DEPTH = 256;

interface Cursor {
  readonly bytes: Buffer;
  at: number;
  depth: number;
  /** Array and map items that took no byte: a block may claim any number of them. */
  emptyItems: number;
}

/**
 * Walks an Avro body without reading its values and throws unless it is exactly as long as it says.
 * avsc believes block counts and allocates or loops accordingly, so a count of 2^40 in a record of 20
 * bytes would hang the process; a body that passes here costs it no more than its own length.
 */
export function assertWithinBounds(writer: avsc.Type, bytes: Buffer): void {
  const cursor = { bytes, at: 0, depth: 0, emptyItems: 0 };
  skip(writer, cursor);
  if (cursor.at < bytes.length) {
    throw new Error(`${bytes.length - cursor.at} bytes too many after its last field`);
  }
}

function skip(type: avsc.Type, cursor: Cursor): void {
  if (++cursor.depth > MAX_DEPTH) throw new Error(`nested deeper than ${MAX_DEPTH} levels`);
  skipValue(type, cursor);
  cursor.depth--;
}

function skipValue(type: avsc.Type, cursor: Cursor): void {
  const { types } = avsc;
  if (type instanceof types.RecordType) {
    for (const field of type.fields) skip(field.type, cursor);
  } else if (type instanceof types.UnwrappedUnionType || type instanceof types.WrappedUnionType) {
    const index = readLong(cursor);
    const branch = type.types[index];
    if (branch === undefined) throw new Error(`a union has no branch ${index}`);
    skip(branch, cursor);
  } else if (type instanceof types.ArrayType) {
    skipBlocks(cursor, () => skip(type.itemsType, cursor));
  } else if (type instanceof types.MapType) {
    skipBlocks(cursor, () => {
      advance(cursor, readLong(cursor));
      skip(type.valuesType as avsc.Type, cursor);
    });
  } else if (type instanceof types.FixedType) {
    advance(cursor, type.size);
  } else {
    skipScalar(type.typeName, cursor);
  }
}

/** Types of one size, in bytes. */
const SIZES: Record<string, number> = { null: 0, boolean: 1, float: 4, double: 8 };

function skipScalar(typeName: string, cursor: Cursor): void {
  const size = SIZES[typeName];
  if (size !== undefined) {
    advance(cursor, size);
    return;
  }
  const number = readLong(cursor);
  if (typeName === 'bytes' || typeName === 'string') advance(cursor, number);
}

/** Arrays and maps: blocks of items until an empty one; a negative count is followed by the block's size in bytes. */
function skipBlocks(cursor: Cursor, skipItem: () => void): void {
  for (let count = readLong(cursor); count !== 0; count = readLong(cursor)) {
    const size = count < 0 ? readLong(cursor) : null;
    const start = cursor.at;
    for (let left = Math.abs(count); left > 0; left--) {
      const before = cursor.at;
      skipItem();
      if (cursor.at === before && ++cursor.emptyItems > cursor.bytes.length) {
        throw new Error('more empty items than bytes');
      }
    }
    if (size !== null && cursor.at !== start + size) {
      throw new Error(`a block of ${cursor.at - start} bytes claims to have ${size}`);
    }
  }
}

function advance(cursor: Cursor, length: number): void {
  if (length < 0 || length > cursor.bytes.length - cursor.at) {
    throw new Error(
      `a length of ${length} where ${cursor.bytes.length - cursor.at} bytes are left`,
    );
  }
  cursor.at += length;
}

/** A zigzag variable-length integer; exact within ±2^53, and beyond it no valid length or count. */
function readLong(cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  for (let read = 0; read < 10; read++) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw new Error('ends within a number');
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }
  throw new Error('a number longer than 64 bits');
}
