import { fstatSync } from 'node:fs';
import { pack, unpack, type Packed } from './handover.ts';
import { SharedBytes } from './shared-bytes.ts';

/** Where a decoder process has the memory that it shares with its pool; a device where it has none. */
const SHARED_FD = 4;

export interface ParentLink<In, Out> {
  onMessage(listener: (message: In) => void): void;
  send(message: Out): void;
}

/** A decoder process's end of what `startDecoderChild` opened. The process ends with its parent. */
export function openLink<In, Out>(): ParentLink<In, Out> {
  const shared = fstatSync(SHARED_FD).isFile() ? new SharedBytes(SHARED_FD) : null;
  process.on('disconnect', () => process.exit());
  return {
    onMessage: (listener) => {
      process.on('message', (packed: Packed<In>) => {
        const message = unpack(packed, shared);
        if (message === null) throw new Error('the bytes of a message are not in shared memory');
        listener(message);
      });
    },
    send: (message) => void process.send?.(pack(message, shared)),
  };
}
