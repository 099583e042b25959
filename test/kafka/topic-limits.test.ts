import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import { TopicLimits } from '../../src/kafka/topic-limits.ts';
import type { OutgoingMessage } from '../../src/kafka/outgoing-message.ts';
import { noLogger } from '../../src/logger.ts';
import { FakeClock } from '../support/fake-clock.ts';

let clock: FakeClock;
let readings: number;
let setting: () => Promise<Map<string, number>>;
let limits: TopicLimits;

beforeEach(() => {
  clock = new FakeClock();
  readings = 0;
  setting = () => Promise.resolve(new Map([['verdicts', 20_000]]));
  limits = new TopicLimits({
    read: () => {
      readings += 1;
      return setting();
    },
    topics: ['verdicts', 'letters'],
    fallback: 1_000_000,
    least: 4_096,
    clock,
    logger: noLogger,
  });
});

const weighing = (bytes: number, topic = 'verdicts'): OutgoingMessage[] => [
  { topic, key: null, value: Buffer.alloc(bytes), headers: [] },
];

describe('the limits of topics', () => {
  it('are what the settings say, read once, and the fallback where they say nothing', async () => {
    setting = () =>
      Promise.resolve(
        new Map([
          ['verdicts', 20_000],
          ['letters', Number.NaN],
        ]),
      );
    await Promise.all([limits.learned(), limits.learned()]);
    await limits.learned();
    expect(readings).toBe(1);
    expect([limits.limitOf('verdicts'), limits.limitOf('letters')]).toEqual([20_000, 1_000_000]);
    expect(limits.smallest()).toBe(20_000);
  });

  it('are the fallback without the right to read them, and are not asked for with each message', async () => {
    setting = () => Promise.reject(new AppError('kafka_unauthorized', 'reading settings: denied'));
    await limits.learned();
    await limits.learned();
    expect([limits.smallest(), readings]).toEqual([1_000_000, 1]);
  });

  it('are read as soon as the broker answers again', async () => {
    setting = () => Promise.reject(new AppError('kafka_unavailable', 'reading settings: away'));
    await limits.learned();
    expect(limits.limitOf('verdicts')).toBe(1_000_000);
    setting = () => Promise.resolve(new Map([['verdicts', 20_000]]));
    await limits.learned();
    expect(limits.limitOf('verdicts')).toBe(20_000);
  });

  it('are read again before anything is shrunk by a reading of more than a minute ago', async () => {
    await limits.learned();
    setting = () => Promise.resolve(new Map([['verdicts', 50_000]]));
    await clock.advance(59_000);
    expect(await limits.refreshed()).toBe(false);
    await clock.advance(1_000);
    expect(await limits.refreshed()).toBe(true);
    expect(limits.limitOf('verdicts')).toBe(50_000);
    await clock.advance(60_000);
    expect(await limits.refreshed()).toBe(false);
  });

  it('follow the settings when the broker refuses what they allowed before', async () => {
    await limits.learned();
    setting = () => Promise.resolve(new Map([['verdicts', 10_000]]));
    expect(await limits.refused(weighing(15_000))).toBe(true);
    expect(limits.limitOf('verdicts')).toBe(10_000);
  });

  it('halve down to the least when a refusal is not explained by any setting, and then give up', async () => {
    setting = () => Promise.reject(new AppError('kafka_unauthorized', 'reading settings: denied'));
    const seen: number[] = [];
    // What is refused has been made to fit the limit before.
    const size = () => Math.min(100_000, limits.limitOf('verdicts') - 32);
    while (seen.length < 10 && (await limits.refused(weighing(size())))) {
      seen.push(limits.limitOf('verdicts'));
    }
    expect(seen).toEqual([50_016, 25_008, 12_504, 6_252, 4_096]);
    expect(limits.limitOf('letters')).toBe(1_000_000);
  });

  it('give up when several messages of one topic are as small as can be', async () => {
    setting = () => Promise.resolve(new Map([['verdicts', 4_096]]));
    await limits.learned();
    expect(await limits.refused([...weighing(4_000), ...weighing(4_000)])).toBe(false);
  });

  it('give up on a message that is as small as can be, whatever the setting', async () => {
    setting = () => Promise.resolve(new Map([['verdicts', 500]]));
    await limits.learned();
    expect(await limits.refused(weighing(3_000))).toBe(false);
  });
});
