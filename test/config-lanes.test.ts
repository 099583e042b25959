import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig, readConfig } from '../src/config.ts';
import type { Lane } from '../src/lane.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moderato-lanes-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A configuration whose line 4 and the following are `input`. */
async function fileWith(input: string): Promise<string> {
  const file = join(folder, 'moderato.yaml');
  const text = `kafka: { brokers: [localhost:9092] }
policies: policies.yaml
topics:
${input}
  verdicts: verdicts
  deadLetters: dead-letters
  embeddings: embeddings
  routes: { block: blocked }
`;
  await writeFile(file, text);
  return file;
}

async function lanesFrom(input: string, env = {}): Promise<Lane[]> {
  const { config } = await loadConfig(await fileWith(input), env);
  return config.topics.input;
}

/** Each fault from its line on. */
async function faultsOf(input: string): Promise<string[]> {
  const file = await fileWith(input);
  const { faults, sections } = await readConfig(file, {});
  if (faults.length > 0) expect(sections.topics).toBeUndefined();
  return faults.map((fault) => fault.slice(`${file}:`.length));
}

describe('topics.input', () => {
  it('is one lane of weight 1 where it is a topic', async () => {
    const lane = { topic: 'images', weight: 1, priority: false };
    expect(await lanesFrom('  input: images')).toEqual([lane]);
    const [other] = await lanesFrom('  input: images', { MODERATO_TOPICS_INPUT: 'other' });
    expect(other).toEqual({ ...lane, topic: 'other' });
  });

  it('is a list of lanes in the order of the file', async () => {
    const input = `  input:
    - { topic: uploads, weight: 8 }
    - { topic: appeals, priority: true }
    - { topic: rescan, weight: 0.5 }
    - { topic: __proto__ }`;
    expect(await lanesFrom(input)).toEqual([
      { topic: 'uploads', weight: 8, priority: false },
      { topic: 'appeals', weight: 1, priority: true },
      { topic: 'rescan', weight: 0.5, priority: false },
      { topic: '__proto__', weight: 1, priority: false },
    ]);
    // The variable names one topic, and so replaces the list.
    expect(await lanesFrom(input, { MODERATO_TOPICS_INPUT: 'only' })).toHaveLength(1);
  });

  it.each([
    ['an empty list', '  input: []', /^4:\d+: topics\.input: expected at least 1 entry$/],
    ['a number', '  input: 7', /^4:\d+: topics\.input: expected text or a list, found 7$/],
    [
      'a lane without a topic',
      '  input: [{ weight: 2 }]',
      /^4:\d+: topics\.input\[0\]\.topic: missing/,
    ],
    [
      'a bad name',
      '  input:\n    - { topic: a b }',
      /^5:\d+: topics\.input\[0\]\.topic: not a Kafka topic name/,
    ],
    [
      'an unknown key',
      '  input:\n    - { topic: a, wieght: 2 }',
      /^5:\d+: topics\.input\[0\]\.wieght: unknown key; did you mean "weight"\?$/,
    ],
    [
      'a lane twice',
      '  input:\n    - { topic: a }\n    - { topic: b }\n    - topic: a',
      /^7:\d+: topics\.input\[2\]\.topic: the lane a is listed twice$/,
    ],
    [
      'a topic of verdicts',
      '  input: verdicts',
      /^4:\d+: topics\.input: verdicts is topics\.verdicts too/,
    ],
    [
      'a topic of dead letters',
      '  input:\n    - { topic: a }\n    - { topic: dead-letters }',
      /^6:\d+: topics\.input\[1\]\.topic: dead-letters is topics\.deadLetters too/,
    ],
    [
      'a topic of a route',
      '  input:\n    - { topic: blocked }',
      /^5:\d+: topics\.input\[0\]\.topic: blocked is topics\.routes\.block too/,
    ],
    [
      'a topic of embeddings',
      '  input:\n    - { topic: embeddings }',
      /^5:\d+: topics\.input\[0\]\.topic: embeddings is topics\.embeddings too/,
    ],
    [
      'a weight of 0',
      '  input:\n    - { topic: a, weight: 0 }',
      /^5:\d+: topics\.input\[0\]\.weight: must be at least 0\.001$/,
    ],
    [
      'a negative weight',
      '  input:\n    - { topic: a, weight: -1 }',
      /^5:\d+: topics\.input\[0\]\.weight: must be at least 0\.001$/,
    ],
    [
      'an infinite weight',
      '  input:\n    - { topic: a, weight: .inf }',
      /^5:\d+: topics\.input\[0\]\.weight: expected a number, found Infinity$/,
    ],
    [
      'a weight that is no number',
      '  input:\n    - { topic: a, weight: .nan }',
      /^5:\d+: topics\.input\[0\]\.weight: expected a number, found NaN$/,
    ],
    [
      'a weight in quotes',
      '  input:\n    - { topic: a, weight: "8" }',
      /^5:\d+: topics\.input\[0\]\.weight: expected a number, found "8"$/,
    ],
    [
      'a weight beside priority',
      '  input:\n    - { topic: a, priority: true, weight: 2 }',
      /^5:\d+: topics\.input\[0\]\.weight: a lane with priority: true has no weight/,
    ],
  ])('refuses %s', async (_, input, fault) => {
    expect(await faultsOf(input)).toEqual([expect.stringMatching(fault)]);
  });

  it('has every fault named at once, each with its line', async () => {
    const faults = await faultsOf(`  input:
    - { topic: a, weight: 0 }
    - { topic: a }
    - { topic: verdicts, weight: 1, priority: true }
    - { topic: b c }`);
    const places = faults.map((fault) => fault.replace(/^(\d+):\d+: (\S+):.*$/, '$1 $2'));
    expect(places).toEqual([
      '5 topics.input[0].weight',
      '6 topics.input[1].topic',
      '7 topics.input[2].topic',
      '7 topics.input[2].weight',
      '8 topics.input[3].topic',
    ]);
  });

  it('takes a weight beside priority: false', async () => {
    const input = '  input: [{ topic: a, priority: false, weight: 2 }]';
    expect(await lanesFrom(input)).toEqual([{ topic: 'a', weight: 2, priority: false }]);
  });
});
