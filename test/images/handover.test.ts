import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { pack, unpack, type Packed } from '../../src/images/handover.ts';
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

const view = (bytes: Uint8Array) => ({ pixels: { data: bytes, width: 1 }, region: { box: null } });
const large = new Uint8Array(100_000).map((_, i) => i * 7);

describe('a message with its bytes', () => {
  it('arrives as it was, through shared memory', () => {
    const shared = sharedMemory();
    const message = {
      kind: 'done',
      views: [view(large), view(large.subarray(5, 9))],
      n: [1, null],
    };
    const packed = pack(message, shared);
    expect(packed).not.toHaveProperty('whole');
    expect(JSON.stringify(packed).length).toBeLessThan(500);
    expect(unpack(packed, shared)).toEqual(message);
  });

  it('arrives as it was, whatever its parts are', () => {
    const shared = sharedMemory();
    const parts = fc.array(fc.uint8Array({ maxLength: 30_000 }), { maxLength: 5 });
    fc.assert(
      fc.property(parts, (bytes) => {
        const message = { task: 'decode', bytes, ['bytes handed over']: true };
        expect(unpack(pack(message, shared), shared)).toEqual(message);
      }),
      { numRuns: 50 },
    );
  });

  it('can be used again as soon as it was taken', () => {
    const shared = sharedMemory();
    const first = unpack(pack({ bytes: large }, shared), shared);
    pack({ bytes: new Uint8Array(100_000) }, shared);
    expect(first?.bytes).toEqual(large);
  });

  it.each<[string, Uint8Array]>([
    ['small', new Uint8Array(1_000)],
    ['larger than the memory', new Uint8Array(3 * 1024 * 1024)],
  ])('goes as it is when it is %s', (_, bytes) => {
    const shared = sharedMemory();
    const packed = pack({ bytes }, shared);
    expect(packed).toEqual({ whole: { bytes } });
    expect(unpack(packed, shared)).toEqual({ bytes });
  });

  it('goes as it is where there is no shared memory, or none to write to', () => {
    const fd = openSync('/dev/null', 'r');
    expect(pack({ bytes: large }, null)).toEqual({ whole: { bytes: large } });
    expect(pack({ bytes: large }, new SharedBytes(fd))).toEqual({ whole: { bytes: large } });
    closeSync(fd);
  });

  it.each<[string, number[]]>([
    ['more than was put in', [200_000]],
    ['more than the memory holds', [2 ** 40]],
    ['less than nothing', [-1]],
    ['half a byte', [0.5]],
  ])('is refused when it is said to have %s', (_, lengths) => {
    const shared = sharedMemory();
    pack({ bytes: large }, shared);
    expect(unpack({ without: 'bytes handed over', lengths } as Packed<unknown>, shared)).toBeNull();
  });
});

describe('another process', () => {
  it('takes and gives through the same memory', async () => {
    const shared = sharedMemory();
    const script = new URL('../support/echoing-process.ts', import.meta.url);
    const child: ChildProcess = fork(script, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', shared.fd],
    });
    child.send(pack({ bytes: large }, shared));
    const [packed] = (await once(child, 'message')) as [Packed<{ bytes: Uint8Array }>];
    child.disconnect();
    expect(packed).not.toHaveProperty('whole');
    expect(unpack(packed, shared)?.bytes).toEqual(large.toReversed());
    await once(child, 'exit');
  });
});
