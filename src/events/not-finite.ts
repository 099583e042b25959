import avsc from 'avsc';

/** The path of a number in `value` that is none, dotted; null where all are. `value` fits the type otherwise. */
type Search = (value: unknown) => string | null;

/** By type; null where no number can be at fault: integers that are not finite do not fit their type at all. */
const searches = new WeakMap<avsc.Type, { search: Search | null }>();

/** Where a valid message of `type` holds NaN or an infinity, as a dotted path; null: nowhere. */
export function notFinite(type: avsc.Type, value: unknown): string | null {
  return searchOf(type)?.(value) ?? null;
}

function searchOf(type: avsc.Type): Search | null {
  const known = searches.get(type);
  if (known) return known.search;
  const search = createSearch(type);
  searches.set(type, { search });
  return search;
}

/** Only what may hold a float is looked at; most of a message is text. */
function createSearch(type: avsc.Type): Search | null {
  const { types } = avsc;
  if (type.typeName === 'float' || type.typeName === 'double') {
    return (value) => (Number.isFinite(value) ? null : '');
  }
  if (type instanceof types.UnwrappedUnionType) {
    const branch = type.types.find(({ typeName }) => typeName !== 'null');
    const inner = branch ? searchOf(branch) : null;
    return inner && ((value) => (value === null ? null : inner(value)));
  }
  if (type instanceof types.RecordType) {
    const fields = type.fields.flatMap(({ name, type: inner }) => {
      const search = searchOf(inner);
      return search ? [{ name, search }] : [];
    });
    return fields.length === 0 ? null : (value) => amongFields(value as object, fields);
  }
  if (type instanceof types.ArrayType) {
    const inner = searchOf(type.itemsType);
    return inner && ((value) => amongItems(value as unknown[], inner));
  }
  return null;
}

function amongFields(
  record: Record<string, unknown> | object,
  fields: ReadonlyArray<{ name: string; search: Search }>,
): string | null {
  for (const { name, search } of fields) {
    const at = search((record as Record<string, unknown>)[name]);
    if (at !== null) return join(name, at);
  }
  return null;
}

function amongItems(items: readonly unknown[], search: Search): string | null {
  for (let index = 0; index < items.length; index++) {
    const at = search(items[index]);
    if (at !== null) return join(`${index}`, at);
  }
  return null;
}

function join(outer: string, inner: string): string {
  return inner === '' ? outer : `${outer}.${inner}`;
}
