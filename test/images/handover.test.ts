import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { createUnpacker, pack } from '../../src/images/handover.ts';
import { writeAll } from '../../src/images/parent-link.ts';
import { SharedBytes } from '../../src/images/shared-bytes.ts';

const opened: SharedBytes[] = [];
function sharedMemory(): SharedBytes {
  const shared = SharedBytes.open();
  if (shared === null) throw new Error('no /dev/shm to write to');
  opened.push(shared);
  return shared;
}
afterEach(() => {
  for (const shared of opened.splice(0)) shared.close();
});

/** Over the wire in one piece. */
function carry<T>(message: T, shared: SharedBytes | null, { maxBytes = 2 ** 30 } = {}): T {
  const wire = Buffer.concat(pack(message, shared));
  const [arrived] = createUnpacker(shared, maxBytes).push(wire);
  return arrived as T;
}

/** What a hostile process could write. */
function frame(header: unknown, body = Buffer.alloc(0)): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(json.length, 0);
  prefix.writeUInt32LE(body.length, 4);
  return Buffer.concat([prefix, json, body]);
}

const view = (bytes: Uint8Array) => ({ pixels: { data: bytes, width: 1 }, region: { box: null } });
const large = Buffer.alloc(100_000).map((_, i) => i * 7) as Buffer;

describe('a message with its bytes', () => {
  it('arrives as it was, through shared memory', () => {
    const shared = sharedMemory();
    const message = {
      kind: 'done',
      views: [view(large), view(large.subarray(5, 9))],
      n: [1, null],
    };
    expect(Buffer.concat(pack(message, shared)).length).toBeLessThan(500);
    const { views, ...rest } = carry(message, shared);
    expect(rest).toEqual({ kind: 'done', n: [1, null] });
    const [first, second] = views.map(({ pixels }) => Buffer.from(pixels.data));
    expect(first?.equals(large)).toBe(true);
    expect(second).toEqual(large.subarray(5, 9));
  });

  it('arrives as it was, whatever its parts are and however it is cut on the way', () => {
    const shared = sharedMemory();
    const parts = fc.array(fc.uint8Array({ maxLength: 30_000 }), { maxLength: 5 });
    fc.assert(
      fc.property(parts, parts, fc.integer({ min: 700, max: 70_000 }), (some, others, step) => {
        const messages = [{ task: 'decode', bytes: some }, { bytes: others }];
        // Shared memory holds one at a time.
        const pieces = messages.map((message, i) =>
          Buffer.concat(pack(message, i ? null : shared)),
        );
        const wire = Buffer.concat(pieces);
        const unpacker = createUnpacker(shared, 2 ** 30);
        const arrived: unknown[] = [];
        for (let at = 0; at < wire.length; at += step) {
          arrived.push(...unpacker.push(wire.subarray(at, at + step)));
        }
        const plain = (array: Uint8Array[]) =>
          array.map((bytes) => Buffer.from(bytes).toString('hex'));
        expect(
          (arrived as typeof messages).map(({ bytes, ...rest }) => ({
            ...rest,
            bytes: plain(bytes),
          })),
        ).toEqual(messages.map(({ bytes, ...rest }) => ({ ...rest, bytes: plain(bytes) })));
      }),
      { numRuns: 50 },
    );
  });

  it('can be used again as soon as it was taken', () => {
    const shared = sharedMemory();
    const first = carry({ bytes: large }, shared);
    pack({ bytes: new Uint8Array(100_000) }, shared);
    expect(large.equals(first.bytes)).toBe(true);
  });

  it.each<[string, Buffer]>([
    ['small', Buffer.alloc(1_000, 3)],
    ['larger than the memory', Buffer.alloc(3 * 1024 * 1024, 3)],
  ])('goes over the wire when it is %s', (_, bytes) => {
    const shared = sharedMemory();
    expect(Buffer.concat(pack({ bytes }, shared)).length).toBeGreaterThan(bytes.length);
    expect(bytes.equals(carry({ bytes }, shared).bytes)).toBe(true);
  });

  it('goes over the wire where there is no shared memory, or none to write to', () => {
    const fd = openSync('/dev/null', 'r');
    for (const shared of [null, new SharedBytes(fd)]) {
      expect(large.equals(carry({ bytes: large }, shared).bytes)).toBe(true);
    }
    closeSync(fd);
  });
});

describe('what no decoder process writes', () => {
  const place = { $bytes: 0 };
  it.each<[string, Buffer]>([
    ['more bytes than are in the memory', frame({ message: place, lengths: [2e5], shared: true })],
    ['more than the memory holds', frame({ message: place, lengths: [2 ** 40], shared: true })],
    ['less than nothing', frame({ message: place, lengths: [-1], shared: true })],
    ['half a byte', frame({ message: place, lengths: [0.5], shared: true })],
    ['lengths that are text', frame({ message: place, lengths: ['1'], shared: true })],
    ['no lengths', frame({ message: place, shared: true })],
    ['fewer bytes than it says', frame({ message: place, lengths: [9], shared: false })],
    ['bytes without a place', frame({ message: 1, lengths: [1], shared: false }, Buffer.alloc(1))],
    ['a place without bytes', frame({ message: place, lengths: [], shared: false })],
    ['bytes used twice', frame({ message: [place, place], lengths: [0], shared: false })],
    ['no JSON', frame('{')],
    ['null', frame('null')],
    [
      'nesting without end',
      frame(`{"message":${'['.repeat(4e5)}${']'.repeat(4e5)},"lengths":[],"shared":false}`),
    ],
    ['a header of 4 GiB', Buffer.alloc(8, 0xff)],
    ['a body of 4 GiB', Buffer.from([2, 0, 0, 0, 255, 255, 255, 255])],
  ])('is refused: %s', (_, bytes) => {
    const shared = sharedMemory();
    pack({ bytes: large }, shared);
    expect(() => createUnpacker(shared, 1_000_000).push(bytes)).toThrow();
  });
});

describe('another process', () => {
  it('takes and gives through the same memory', async () => {
    const shared = sharedMemory();
    const script = fileURLToPath(new URL('../support/echoing-process.ts', import.meta.url));
    const child = spawn(process.execPath, [script], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe', shared.fd],
    });
    const link = child.stdio[3] as Socket;
    writeAll(link, pack({ bytes: large }, shared));
    const [wire] = (await once(link, 'data')) as [Buffer];
    expect(wire.length).toBeLessThan(500);
    const [message] = createUnpacker(shared, 0).push(wire) as [{ bytes: Uint8Array }];
    expect(Buffer.from(message.bytes).equals(large.toReversed())).toBe(true);
    link.destroy();
    await once(child, 'exit');
  });
});
