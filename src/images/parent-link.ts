import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';

import { createUnpacker, pack } from './handover.ts';
import { SharedBytes } from './shared-bytes.ts';

/** The file descriptors that a decoder process inherits beside the standard ones. */
export const LINK_FD = 3;
/** A regular file, or a device where there is no shared memory. */
export const SHARED_FD = 4;

export interface ParentLink<In, Out> {
  onMessage(listener: (message: In) => void): void;
  send(message: Out): void;
}

/** A decoder process's end of what `startDecoderChild` opened. The process ends with its parent. */
export function openLink<In, Out>(): ParentLink<In, Out> {
  const shared = fstatSync(SHARED_FD).isFile() ? new SharedBytes(SHARED_FD) : null;
  const socket = new Socket({ fd: LINK_FD, readable: true, writable: true });
  socket.on('close', () => process.exit());
  socket.on('error', () => process.exit());
  return {
    onMessage: (listener) => {
      const unpacker = createUnpacker(shared, Infinity);
      socket.on('data', (chunk) => {
        for (const message of unpacker.push(chunk)) listener(message as In);
      });
    },
    send: (message) => writeAll(socket, pack(message, shared)),
  };
}

/** Writes the pieces with one system call. */
export function writeAll(socket: Socket, pieces: readonly Uint8Array[]): void {
  socket.cork();
  for (const piece of pieces) socket.write(piece);
  socket.uncork();
}
