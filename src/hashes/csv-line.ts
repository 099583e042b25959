/** The fields of one line of comma-separated values (RFC 4180, but that no field holds a line break). */
export function parseCsvLine(line: string): string[] {
  const field = /("(?:[^"]|"")*"|[^,]*)(,|$)/y;
  const fields: string[] = [];
  for (let more = true; more;) {
    const [, text = '', end] = field.exec(line) ?? [];
    fields.push(/^".*"$/.test(text) ? text.slice(1, -1).replaceAll('""', '"') : text);
    more = end === ',';
  }
  return fields;
}

/** One field as such a line holds it. */
export function csvField(text: string): string {
  const plain = text.replace(/[\r\n]+/g, ' ');
  return /[",]|^#|^\s|\s$/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
