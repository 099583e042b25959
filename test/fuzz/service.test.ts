import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { prepareTinyModel } from '../../bench/tiny-model.ts';
import type { Case } from '../../fuzz/cases.ts';
import { makePictures } from '../../fuzz/corpus/pictures.ts';
import { startService } from '../../fuzz/service-process.ts';
import { runCases } from '../../fuzz/session.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moderato-fuzz-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the service under test', () => {
  it('gives each image one outcome and ends when there are no more', async () => {
    const { png, jpeg } = await makePictures();
    const files = [png, Buffer.alloc(0), Buffer.from('text'), jpeg.subarray(0, 300)];
    const cases = files.map((bytes, number): Case => {
      return { number, name: String(number), bytes, format: null };
    });
    const settings = { decoders: 1, timeoutMs: 10_000, memoryBytes: 2 ** 30 };
    const model = await prepareTinyModel(folder);
    const codes = new Map<number, string | null>();
    const session = await runCases({
      start: (listeners) => startService({ ...settings, model }, listeners),
      cases,
      window: 2,
      patienceMs: 25_000,
      onOutcome: ({ number }, { code }) => codes.set(number, code),
    });
    expect(session).toEqual({
      cases: 4,
      withoutOutcome: [],
      surplus: [],
      ending: 'exit 0',
      restarts: { crash: 0, timeout: 0, memory: 0, recycled: 0 },
    });
    expect([...codes].sort(([a], [b]) => a - b).map(([, code]) => code)).toEqual([
      null,
      'image_empty',
      'image_format_unsupported',
      'image_truncated',
    ]);
  }, 30_000);
});
