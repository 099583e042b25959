import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { drawSchedule, FAULT_KINDS, WEIGHTS } from '../../chaos/schedule.ts';
import { packageFile } from '../../src/package-files.ts';

const kindsOf = (seed: number, count: number) =>
  drawSchedule(seed, count, 'at-least-once').map(({ kind }) => kind);

describe('drawSchedule', () => {
  it('draws the same faults for the same seed, others for another', () => {
    expect(drawSchedule(7, 50, 'exactly-once')).toEqual(drawSchedule(7, 50, 'exactly-once'));
    expect(kindsOf(7, 50)).not.toEqual(kindsOf(8, 50));
  });

  it('has every kind where there is room for all, and as many faults as were asked for', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      expect(new Set(kindsOf(seed, 100))).toEqual(new Set(FAULT_KINDS));
      expect(kindsOf(seed, 100)).toHaveLength(100);
      expect(new Set(kindsOf(seed, 5)).size).toBe(5);
    }
  });

  it('has every kind in the short run of the CI, but for the one that lasts for a minute', () => {
    const script = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const faults = Number(/--kills (\d+)/.exec(script.scripts['chaos:smoke'] ?? '')?.[1]);
    const short = FAULT_KINDS.filter((kind) => kind !== 'broker frozen for a minute');
    expect(new Set(kindsOf(1, faults))).toEqual(new Set(short));
  });

  it('draws a kind as often as its weight demands', () => {
    const count = 20_000;
    const total = Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0);
    const drawn = Map.groupBy(kindsOf(1, count), (kind) => kind);
    for (const kind of FAULT_KINDS) {
      const share = (drawn.get(kind)?.length ?? 0) / count;
      expect(Math.abs(share - WEIGHTS[kind] / total)).toBeLessThan(0.02);
    }
  });

  it('crashes only where the promise under test comes by', () => {
    const points = (delivery: 'at-least-once' | 'exactly-once') =>
      new Set(drawSchedule(1, 1_000, delivery).map(({ point }) => point));
    expect(points('at-least-once').has('sent')).toBe(true);
    expect(points('at-least-once').has('transaction-offsets')).toBe(false);
    expect(points('exactly-once').has('sent')).toBe(false);
    expect(points('exactly-once').has('transaction-offsets')).toBe(true);
  });
});
