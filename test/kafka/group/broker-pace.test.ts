import { describe, expect, it } from '@jest/globals';
import { BrokerPace, SMALLEST_FETCH_BYTES } from '../../../src/kafka/group/broker-pace.ts';

const MAX = 8 * 1024 * 1024;

describe('what a broker with a quota is asked for', () => {
  it('is everything until it refuses', () => {
    const pace = new BrokerPace(MAX);
    pace.answered();
    expect([pace.bytes, pace.isSingle]).toEqual([MAX, false]);
  });

  it('is as little as can be after a refusal, and rises with each answer up to the maximum', () => {
    const pace = new BrokerPace(MAX);
    pace.refused(0);
    expect(pace.bytes).toBe(SMALLEST_FETCH_BYTES);
    pace.answered();
    expect(pace.bytes).toBe(2 * SMALLEST_FETCH_BYTES);
    for (let count = 0; count < 1_000; count += 1) pace.answered();
    expect(pace.bytes).toBe(MAX);
  });

  it('is never more than the maximum, however small that is', () => {
    const pace = new BrokerPace(1_000);
    pace.refused(0);
    expect(pace.bytes).toBe(1_000);
  });

  it('is one partition at a time once the smallest request is refused twice', () => {
    const pace = new BrokerPace(MAX);
    for (const now of [0, 1_000]) pace.refused(now);
    expect(pace.isSingle).toBe(false);
    pace.refused(2_000);
    expect(pace.isSingle).toBe(true);
    pace.answered();
    expect(pace.isSingle).toBe(false);
  });

  it('proves a record too large only when a whole window of the quota has passed', () => {
    const pace = new BrokerPace(MAX);
    const refused = [0, 1, 2, 3, 4, 5, 6].map((second) => pace.refused(second * 1_000));
    expect(refused).not.toContain(true);
    expect(pace.refused(30_000)).toBe(false);
    expect(pace.refused(31_000)).toBe(true);
  });

  it('proves nothing of a partition by the refusals of the one before', () => {
    const pace = new BrokerPace(MAX);
    for (let second = 0; second < 40; second += 1) pace.refused(second * 1_000);
    pace.turned();
    expect(pace.refused(41_000)).toBe(false);
  });
});
