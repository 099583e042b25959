import { expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../src/config.ts';

async function faultsOf(delivery: string, fairBy: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'moderato-fairness-'));
  const file = join(folder, 'moderato.yaml');
  const text = `kafka: { brokers: [localhost:9092] }
policies: policies.yaml
topics: { input: images, verdicts: verdicts, deadLetters: dead-letters }
delivery: ${delivery}
pipeline:
  fairBy: ${fairBy}
`;
  await writeFile(file, text);
  const { faults } = await readConfig(file, {});
  await rm(folder, { recursive: true });
  return faults.map((fault) => fault.slice(`${file}:`.length));
}

it.each(['tenant', 'key'])(
  'refuses fairBy: %s with exactly-once, with its line',
  async (fairBy) => {
    const [fault, ...others] = await faultsOf('exactly-once', fairBy);
    expect(fault).toMatch(/^6:\d+: pipeline\.fairBy: .*exactly-once/);
    expect(others).toEqual([]);
  },
);

it('takes partition with either delivery, and the others with at-least-once', async () => {
  expect(await faultsOf('exactly-once', 'partition')).toEqual([]);
  expect(await faultsOf('at-least-once', 'tenant')).toEqual([]);
});

it('tells it beside other faults', async () => {
  expect(await faultsOf('exactly-once', 'tenant\n  window: 0')).toHaveLength(2);
  expect(await faultsOf('exactly-once', 'tenants')).toHaveLength(1);
});
