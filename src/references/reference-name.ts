const LONGEST = 1_000;
const LONGEST_MEDIA_TYPE = 60;

/**
 * What a reference is called in messages, which end in verdicts and logs: without what may be a secret (a
 * password; the query, which holds the signature of a pre-signed URL), and short, for a `data:` URI has megabytes.
 */
export function nameOf(uri: string): string {
  const head = uri.slice(0, LONGEST);
  if (/^data:/i.test(head)) return `${/^[^,]*/.exec(head.slice(0, LONGEST_MEDIA_TYPE))?.[0]},…`;
  const shown = head
    .replace(/^([a-z][a-z0-9+.-]*:[\\/]*)[^\\/?#]*@/i, '$1…@')
    .replace(/\?.*$/s, '?…');
  return uri.length > LONGEST ? `${shown}…` : shown;
}
