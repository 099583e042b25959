import { describe, expect, it } from '@jest/globals';
import { cpuAt, cpuSecondsOf } from '../../bench/process-watch.ts';

describe('cpuSecondsOf', () => {
  it('adds user and system time, whatever the name of the command holds', () => {
    const before = 'S 1 1 1 0 -1 4194304 100 0 0 0';
    expect(cpuSecondsOf(`42 (node (a b) c) ${before} 250 50 7 7 20 0 11 0 99`)).toBe(3);
  });
});

describe('cpuAt', () => {
  const samples = [
    { at: 1000, cpuSeconds: 1 },
    { at: 2000, cpuSeconds: 3 },
  ];

  it('lies between the samples before and after the moment', () => {
    expect(cpuAt(samples, 1500)).toBe(2);
  });

  it('stays within what was sampled', () => {
    expect(cpuAt(samples, 0)).toBe(1);
    expect(cpuAt(samples, 9000)).toBe(3);
    expect(cpuAt([], 1500)).toBe(0);
  });
});
