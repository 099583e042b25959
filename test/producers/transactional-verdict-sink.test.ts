import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import { decodeVerdict } from '../../src/events/index.ts';
import type { TopicPartition } from '../../src/kafka/by-topic.ts';
import { totalBytes, type OutgoingMessage } from '../../src/kafka/outgoing-message.ts';
import { noLogger } from '../../src/logger.ts';
import {
  createTransactionalVerdictSink,
  type TransactionalVerdictSink,
} from '../../src/producers/transactional-verdict-sink.ts';
import { aVerdict } from '../support/builders.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { knownLimits } from '../support/topic-limits.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

const topics = { verdicts: 'verdicts', routes: {}, deadLetters: 'dead-letters' };

/** A sink whose broker takes transactions of up to `accepted` bytes, whatever the settings of the topics say. */
function createSink(
  accepted: number,
  onCommit: (partition: TopicPartition, offset: number) => void = () => undefined,
): {
  sink: TransactionalVerdictSink;
  sent: OutgoingMessage[][];
} {
  const sent: OutgoingMessage[][] = [];
  const sink = createTransactionalVerdictSink({
    commit: (partition, messages, offset) => {
      onCommit(partition, offset);
      sent.push([...messages]);
      return totalBytes(messages) > accepted
        ? Promise.reject(new AppError('record_too_large', 'sending: too large'))
        : Promise.resolve();
    },
    limits: knownLimits({ verdicts: 1_000_000, 'dead-letters': 1_000_000 }),
    topics,
    encoder: createMessageEncoder({ format: 'json' }),
    lingerMs: 0,
    clock: new FakeClock(),
    logger: noLogger,
  });
  return { sink, sent };
}

/** Emits a verdict with a large label for one record, which is delivered again after each rewind. */
async function emitUntilDone(sink: TransactionalVerdictSink): Promise<number> {
  const input = { topic: 'images', partition: 0, offset: 7 };
  const verdict = aVerdict({ input, labels: { large: 'x'.repeat(200_000), form: 'avatar' } });
  for (let deliveries = 1; deliveries < 20; deliveries++) {
    const revoked = new AbortController();
    sink.admit({ record: input, revoked: revoked.signal, rewind: () => revoked.abort() });
    try {
      await sink.emit(anEmission('v', { verdict }));
      return deliveries;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'partition_revoked') throw error;
    }
  }
  throw new Error('it is rewound for ever');
}

describe('the transactional sink', () => {
  it('shrinks what a transaction was too large for, and emits it at a later delivery', async () => {
    const { sink, sent } = createSink(20_000);
    expect(await emitUntilDone(sink)).toBe(2);
    const [message] = sent.at(-1) ?? [];
    const verdict = await decodeVerdict(message?.value ?? null);
    expect(verdict).toMatchObject({ labels: { form: 'avatar' }, shrunk: ['labels'] });
  });

  it('keeps partitions of the same number in different topics apart', async () => {
    const commits: string[] = [];
    const { sink } = createSink(1_000_000, (place, offset) =>
      commits.push(`${place.topic}/${place.partition}@${offset}`),
    );
    const inputs = ['images', 'rescan'].map((topic) => ({ topic, partition: 0, offset: 7 }));
    const { signal: revoked } = new AbortController();
    for (const record of inputs) sink.admit({ record, revoked, rewind: () => undefined });
    await Promise.all(
      inputs.map((input) => sink.emit(anEmission('v', { verdict: aVerdict({ input }) }))),
    );
    expect(commits.sort()).toEqual(['images/0@8', 'rescan/0@8']);
  });

  it('gives up when not even the smallest message is taken', async () => {
    const { sink, sent } = createSink(0);
    await expect(emitUntilDone(sink)).rejects.toMatchObject({ code: 'record_too_large' });
    const [message] = sent.at(-1) ?? [];
    expect(totalBytes(message ? [message] : [])).toBeLessThan(4_096);
  });
});
