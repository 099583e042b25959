/** One record as text for a terminal. Pure: text in, text out. */
import { hash } from 'node:crypto';
import { originText } from '../events/origin.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { preview } from './render-letter.ts';
import { bytesText, inBase64, shortened, timeText } from './render-letters.ts';
import { drawn, painter, plainTable, type RenderOptions } from './render.ts';
import { printable } from './printable.ts';

const MAX_TEXT = 300;

/** Everything but the end of long parts, without a line feed at the end. */
export function renderRecord(record: KafkaRecord, options: RenderOptions = {}): string {
  const paint = painter(options);
  const { key, value, headers, timestamp, fault } = record;
  const table = plainTable(['left', 'left']);
  const add = (name: string, text: string): unknown => table.push([paint('dim', name), text]);
  const sized = (bytes: Buffer): string =>
    `${shortened(bytesText(bytes.subarray(0, MAX_TEXT)), MAX_TEXT)} (${bytes.length} bytes)`;
  add('published', timeText(timestamp));
  if (fault) add('unreadable', printable(`${fault.code}: ${fault.message}`));
  add('key', key === null ? '–' : sized(key));
  for (const header of headers) {
    const text = header.value === null ? '–' : sized(header.value);
    add('header', `${shortened(printable(header.name), MAX_TEXT)}: ${text}`);
  }
  add('value', value ? `${value.length} bytes, SHA-256 ${hash('sha256', value)}` : '–');
  return [
    paint('bold', `record ${printable(originText(record))}`),
    drawn(table),
    ...(value && value.length > 0 ? ['', preview(value)] : []),
  ].join('\n');
}

/** As one line of JSON, with bytes in base64 and times in ms. */
export function recordJson(record: KafkaRecord): string {
  return JSON.stringify(inBase64(record));
}
