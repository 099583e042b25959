import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Spill } from '../../src/reconcile/spill.ts';

const SCHEMA = 'CREATE TABLE numbers (n INT PRIMARY KEY) WITHOUT ROWID';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moderato-spill-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('a spill', () => {
  it('gives back what was written, and leaves nothing behind', async () => {
    {
      using spill = new Spill(SCHEMA, { folder });
      const add = spill.writer('INSERT INTO numbers VALUES (?)');
      for (let n = 0; n < 100_000; n += 1) add(n);
      spill.run('COMMIT');
      expect([...spill.reader('SELECT sum(n) FROM numbers')()]).toEqual([[4_999_950_000]]);
      expect(spill.bytes).toBeGreaterThan(500_000);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('says what to do when the disk is full', async () => {
    {
      using spill = new Spill(SCHEMA, { folder, maxBytes: 100_000 });
      const add = spill.writer('INSERT INTO numbers VALUES (?)');
      const fill = () => {
        for (let n = 0; ; n += 1) add(n);
      };
      expect(fill).toThrow(
        expect.objectContaining({
          code: 'spill_failed',
          message: `spilling to ${folder}: database or disk is full; make room there, or name another folder with --temp`,
        }),
      );
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('says so when there is no such folder', () => {
    expect(() => new Spill(SCHEMA, { folder: join(folder, 'absent') })).toThrow(
      expect.objectContaining({ code: 'spill_failed' }),
    );
  });

  it('does not blame the disk for what is not its fault', () => {
    using spill = new Spill(SCHEMA, { folder });
    expect(() => spill.run('SELECT nonsense')).toThrow('no such column');
  });
});
