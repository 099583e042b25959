const LONGEST = 1_000;
const LONGEST_MEDIA_TYPE = 60;

/** What the URL parser drops before it reads: controls and spaces around, tabs and line breaks anywhere: https://url.spec.whatwg.org/#concept-basic-url-parser */
const DROPPED = /^[\0- ]+|[\t\n\r]/g;

/**
 * What a reference is called in messages, which end in verdicts and logs: without what may be a secret (user name
 * and password; the query, which holds the signature of a pre-signed URL; the fragment), and short, since a `data:`
 * URI has megabytes.
 */
export function nameOf(uri: string): string {
  const head = uri.slice(0, LONGEST).replaceAll(DROPPED, '');
  if (/^data:/i.test(head)) return `${/^[^,]*/.exec(head.slice(0, LONGEST_MEDIA_TYPE))?.[0]},…`;
  // User-info may be longer than any name, so it goes before the rest is shortened.
  const authority = /^([a-z][a-z0-9+.-]*:[\\/]*)([^\\/?#]*)@/i;
  const shown = uri
    .replaceAll(DROPPED, '')
    .replace(authority, '$1…@')
    .replace(/[?#].*$/s, (rest) => (rest.startsWith('?') ? '?…' : '#…'));
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST)}…` : shown;
}
