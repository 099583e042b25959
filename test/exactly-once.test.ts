import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { systemClock } from '../src/clock.ts';
import type { Delivery } from '../src/consumers/event-source.ts';
import { MemoryEventSource } from '../src/consumers/memory-event-source.ts';
import { MemoryTopic } from '../src/consumers/memory-topic.ts';
import { AppError, dispositionOf } from '../src/errors.ts';
import { createMessageEncoder } from '../src/events/message-encoder.ts';
import { noLogger } from '../src/logger.ts';
import { createTransactionalVerdictSink } from '../src/producers/transactional-verdict-sink.ts';
import { aVerdict } from './support/builders.ts';
import { knownLimits } from './support/topic-limits.ts';

jest.setTimeout(60_000);

const PARTITIONS = 2;

/** What becomes of a transaction. Only `lost` and `unheard` are told as an outage. */
type Fate = 'committed' | 'lost' | 'unheard';

interface Scenario {
  records: number;
  /** How many turns of the event loop each record is judged for, in turn. */
  delays: number[];
  /** In turn, of the transactions; later ones are committed. */
  fates: Fate[];
  /** After so many verdicts, a rebalance that gives everything back. */
  rebalanceAfter: number[];
}

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  records: fc.integer({ min: 1, max: 30 }),
  delays: fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 12 }),
  fates: fc.array(fc.constantFrom<Fate>('committed', 'lost', 'unheard'), { maxLength: 12 }),
  rebalanceAfter: fc.array(fc.nat({ max: 30 }), { maxLength: 3 }),
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Plays a scenario; returns the positions that were written, in order. */
async function play({ records, delays, fates, rebalanceAfter }: Scenario): Promise<string[]> {
  const topic = new MemoryTopic({ topic: 'images', partitions: PARTITIONS });
  for (let index = 0; index < records; index += 1) topic.append({ value: Buffer.from('x') });
  const source = new MemoryEventSource(topic);
  const written: string[] = [];
  let transactions = 0;
  /** What initialising the transactional ids anew does: transactions of the time before cannot be committed. */
  let fence = 0;
  const sink = createTransactionalVerdictSink({
    commit: async ({ partition }, messages, offset) => {
      const fate = fates[transactions] ?? 'committed';
      transactions += 1;
      const claim = fence;
      await turn();
      if (fate !== 'lost' && claim === fence) {
        expect(topic.committed(partition)).toBeLessThan(offset);
        written.push(...messages.map(({ key }) => String(key)));
        topic.commit(partition, offset);
      }
      if (fate !== 'committed' || claim !== fence)
        throw new AppError('kafka_unavailable', 'sending: no answer');
    },
    limits: knownLimits({}),
    topics: { verdicts: 'verdicts', routes: {}, deadLetters: 'dead-letters' },
    encoder: createMessageEncoder({ format: 'json' }),
    lingerMs: 0,
    clock: systemClock,
    logger: noLogger,
  });

  let taken = 0;
  let verdicts = 0;
  const judge = async ({ record, revoked }: Delivery): Promise<void> => {
    const patience = delays[taken % delays.length] ?? 0;
    taken += 1;
    for (let waited = 0; waited < patience; waited += 1) await turn();
    if (revoked.aborted) return;
    const { partition, offset } = record;
    const input = { topic: 'images', partition, offset };
    const key = Buffer.from(`${partition}/${offset}`);
    await sink.emit({ key, headers: [], verdict: aVerdict({ input }) });
    // Not resolved: the memory source would commit what the transaction has committed already.
    verdicts += 1;
    if (!rebalanceAfter.includes(verdicts)) return;
    fence += 1;
    source.rebalance();
  };
  const done = (): boolean =>
    topic.partitions.every((p) => Math.max(topic.committed(p), 0) === topic.endOf(p));
  const events: Array<Promise<void>> = [];
  const reading = (async () => {
    for await (const delivery of source.deliveries()) {
      sink.admit(delivery);
      events.push(
        judge(delivery).catch((error: unknown) => {
          if (dispositionOf(error) !== 'revoked') throw error;
        }),
      );
    }
  })();
  for (let waited = 0; !done() && waited < 2_000; waited += 1) await turn();
  await source.stop();
  await reading;
  await Promise.all(events);
  expect(done()).toBe(true);
  return written;
}

describe('exactly-once delivery', () => {
  it('writes each record once, in order, whatever becomes of transactions and assignments', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const written = await play(scenario);
        for (let partition = 0; partition < PARTITIONS; partition += 1) {
          const offsets = written
            .map((position) => position.split('/').map(Number))
            .filter(([p]) => p === partition)
            .map(([, offset]) => offset);
          expect(offsets).toEqual([...offsets.keys()]);
        }
        expect(written).toHaveLength(scenario.records);
      }),
      { numRuns: 300 },
    );
  });
});
