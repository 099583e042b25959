/** One dead letter as text for a terminal. Pure: text in, text out. */
import type { ShownLetter } from '../dead-letters/show.ts';
import { originText } from '../events/origin.ts';
import { positionText } from '../events/redrive-note.ts';
import { printable } from './printable.ts';
import { drawn, painter, plainTable, type RenderOptions } from './render.ts';
import { bytesText, timeText } from './render-letters.ts';

const PREVIEW_BYTES = 256;
const MAX_JSON_BYTES = 64 * 1024;
const MAX_JSON_LINES = 40;
const MAX_JSON_LINE = 160;
const BYTES_PER_LINE = 16;

/** All of it but for the end of a long value, without a line feed at the end. */
export function renderLetter(letter: ShownLetter, options: RenderOptions = {}): string {
  const paint = painter(options);
  const { code, stage, message, attempts, origin, record, key, value, sha256 } = letter;
  const table = plainTable(['left', 'left']);
  const add = (name: string, text: string): unknown => table.push([paint('dim', name), text]);
  add('failed at', timeText(letter.failedAt));
  add('code', code === null ? 'the dead letter cannot be decoded' : printable(code));
  if (stage !== null) add('stage', printable(stage));
  add('message', printable(message));
  if (attempts !== null) add('attempts', String(attempts));
  if (origin) add('origin', printable(originText(origin)));
  if (record) {
    add('record', `${printable(originText(record))}, published ${timeText(record.timestamp)}`);
  }
  if (letter.incomplete !== null) add('incomplete', printable(letter.incomplete));
  add('redriven', letter.redriven ? 'yes' : 'no');
  add('key', key === null ? '–' : bytesText(key));
  for (const header of letter.headers) {
    const text = header.value === null ? '–' : bytesText(header.value);
    add('header', `${printable(header.name)}: ${text}`);
  }
  add('value', value ? `${value.length} bytes, SHA-256 ${sha256 ?? ''}` : '–');
  return [
    paint('bold', `dead letter ${positionText(letter)}`),
    drawn(table),
    ...(value && value.length > 0 ? ['', preview(value)] : []),
  ].join('\n');
}

export function preview(value: Buffer): string {
  return jsonPreview(value) ?? hexdump(value);
}

/** Indented, with long lines and the end cut; undefined where the value is no JSON, or too much of it. */
function jsonPreview(value: Buffer): string | undefined {
  if (value.length > MAX_JSON_BYTES) return undefined;
  try {
    const lines = JSON.stringify(JSON.parse(value.toString()), null, 2).split('\n');
    const shown = lines.slice(0, MAX_JSON_LINES).map((line) => {
      const text = printable(line);
      return text.length > MAX_JSON_LINE ? `${text.slice(0, MAX_JSON_LINE)}…` : text;
    });
    if (lines.length > MAX_JSON_LINES) shown.push('…');
    return shown.join('\n');
  } catch {
    return undefined;
  }
}

/** As `hexdump -C` shows it. */
function hexdump(value: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(value.length, PREVIEW_BYTES); at += BYTES_PER_LINE) {
    const bytes = [...value.subarray(at, Math.min(at + BYTES_PER_LINE, PREVIEW_BYTES))];
    const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = bytes.map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
    );
    const offset = at.toString(16).padStart(8, '0');
    lines.push(`${offset}  ${hex.padEnd(BYTES_PER_LINE * 3)} |${text.join('')}|`);
  }
  const more = value.length - PREVIEW_BYTES;
  if (more > 0) lines.push(`… ${more} bytes more: --value writes all of them`);
  return lines.join('\n');
}
