import { describe, expect, it } from '@jest/globals';
import { Dice } from '../../fuzz/dice.ts';
import { KINDS, Urn } from '../../poison/draw.ts';
import { seal } from '../../suites/raw-producer.ts';
import { faultOf } from '../../poison/proof.ts';
import { brokenPromises, renderResults, type PoisonResults } from '../../poison/results.ts';

const sound: PoisonResults = {
  kinds: new Map([['good: JSON', { records: 2, outcomes: new Map([['allow', 2]]) }]]),
  breaches: [],
  duplicates: 0,
  deadLetters: 0,
  delivery: 'at-least-once',
  published: 2,
  refused: new Map(),
  exits: [],
  serviceMiB: 400,
  decoderMiB: 100,
  silenceMs: 30,
  totalSilenceMs: 50,
  probes: 10,
  uncommitted: 0,
  seconds: 5,
  date: '2026-01-01',
  command: 'npm run poison',
};

describe('a run in which something broke', () => {
  it.each<[string, Partial<PoisonResults>]>([
    ['the service ended', { exits: ['70'] }],
    ['records are not committed', { uncommitted: 3 }],
    ['more than', { serviceMiB: 5_000 }],
    ['/livez was silent', { silenceMs: 1_000 }],
    ['/livez was silent', { probes: 0 }],
    ['no verdict', { breaches: ['good: JSON at 0/1: no verdict'] }],
    ['verdicts twice', { duplicates: 1, delivery: 'exactly-once' }],
  ])('is told: %s', (said, changes) => {
    const broken = brokenPromises({ ...sound, ...changes });
    expect(broken.join()).toContain(said);
    expect(renderResults({ ...sound, ...changes })).toContain('BROKEN');
  });

  it('is no run in which verdicts are repeated at least once', () => {
    expect(brokenPromises({ ...sound, duplicates: 1 })).toEqual([]);
    expect(renderResults(sound)).toContain('No record stopped the stream.');
  });
});

describe('what became of a record', () => {
  const found = (outcome: string, code: string | null, ids = ['a']) => ({
    ids: new Set(ids),
    outcome,
    code,
    times: 1,
  });
  const allow = found('allow', null);
  const empty = found('not_inspected', 'event_empty');

  it.each([
    [undefined, 'any', false, 'no verdict'],
    [found('allow', null, ['a', 'b']), 'judged', false, 'differ'],
    [found('not_inspected', 'record_quarantined'), 'any', true, 'record_quarantined'],
    [allow, 'judged', true, 'and a dead letter'],
    [allow, 'dead-letter', false, 'expected dead-letter, became judged'],
    [empty, 'dead-letter', false, 'became not-inspected'],
    [empty, 'judged', true, 'became dead-letter'],
    [allow, 'refused', false, 'became judged'],
  ] as const)('is a breach (%#)', (verdict, expected, hasLetter, said) => {
    expect(faultOf(verdict, expected, hasLetter)).toContain(said);
  });

  it.each([
    [allow, 'judged', false],
    [allow, 'any', false],
    [empty, 'dead-letter', true],
    [empty, 'not-inspected', false],
    [empty, 'refused', true],
  ] as const)('is as it should be (%#)', (verdict, expected, hasLetter) => {
    expect(faultOf(verdict, expected, hasLetter)).toBeUndefined();
  });
});

describe('the urn', () => {
  it('gives each kind once before the dice decide, none more often than it may, the same for a seed', () => {
    const draw = () => {
      const urn = new Urn(new Dice(5));
      return Array.from({ length: 5_000 }, () => urn.draw());
    };
    const drawn = draw();
    expect(new Set(drawn.slice(0, KINDS.length)).size).toBe(KINDS.length);
    for (const { name, most = Infinity } of KINDS) {
      expect(drawn.filter((kind) => kind.name === name).length).toBeLessThanOrEqual(most);
    }
    expect(draw()).toEqual(drawn);
  });

  it('has no two kinds of one name', () => {
    expect(new Set(KINDS.map(({ name }) => name)).size).toBe(KINDS.length);
  });
});

it('seals a batch with the CRC-32C of what follows the checksum', () => {
  // RFC 3720, appendix B.4: 32 bytes of zeros, and 32 bytes of 0xff.
  const batchOf = (byte: number) => Buffer.concat([Buffer.alloc(21), Buffer.alloc(32, byte)]);
  expect(seal(batchOf(0)).readUInt32BE(17)).toBe(0x8a9136aa);
  expect(seal(batchOf(0xff)).readUInt32BE(17)).toBe(0x62a8ab43);
});
