/**
 * Runs the decoder process's program, but hands it the photos in memory: its channel is replaced by calls, so that
 * what is left is decoding.
 */
import type { DecoderReply, DecoderRequest } from '../../src/images/decoder-messages.ts';
import { now, photoOf, settings, type ChildReport } from './child.ts';

const send = process.send?.bind(process);
let onReply: (reply: DecoderReply) => void = () => undefined;
process.send = (reply: DecoderReply) => {
  onReply(reply);
  return true;
};
process.argv[2] = process.argv[3] ?? '';
await import('../../src/images/decoder-process.ts');

const moments: number[] = [];
for (let event = 0; event < settings.events; event++) {
  const replied = new Promise<DecoderReply>((resolve) => {
    onReply = resolve;
  });
  const request: DecoderRequest = { task: 'decode', bytes: photoOf(event) };
  process.emit('message', request, undefined);
  const reply = await replied;
  if (reply.kind !== 'done') throw new Error(`photo ${event} was not decoded`);
  moments.push(now());
}
const report: ChildReport = { moments };
send?.(report);
