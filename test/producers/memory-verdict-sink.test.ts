import { describe, expect, it } from '@jest/globals';
import {
  createMemoryVerdictSink,
  type MemoryVerdictSinkOptions,
} from '../../src/producers/memory-verdict-sink.ts';
import type { Emission } from '../../src/producers/verdict-sink.ts';
import { FakeClock } from '../support/fake-clock.ts';
import {
  anEmission,
  describeVerdictSink,
  type SeenMessage,
} from '../support/verdict-sink-conformance.ts';

function messagesOf<T>(
  emissions: readonly Emission[],
  part: (emission: Emission) => T | undefined,
): Array<SeenMessage<T>> {
  return emissions.flatMap((emission) => {
    const content = part(emission);
    const { key, headers } = emission;
    return content === undefined ? [] : [{ key, headers, content }];
  });
}

function createSink(options: MemoryVerdictSinkOptions = {}) {
  const sink = createMemoryVerdictSink(options);
  const seen = () =>
    Promise.resolve({
      verdicts: messagesOf(sink.emissions, ({ verdict }) => verdict),
      deadLetters: messagesOf(sink.emissions, ({ deadLetter }) => deadLetter),
      embeddings: messagesOf(sink.emissions, ({ embedding }) => embedding),
    });
  return { sink, seen };
}

describeVerdictSink('in memory', () => Promise.resolve(createSink()));

describe('the sink in memory', () => {
  it('acknowledges after its latency', async () => {
    const clock = new FakeClock();
    const { sink } = createSink({ latencyMs: 100, clock });
    const emitted = sink.emit(anEmission('slow'));
    await clock.advance(99);
    expect(sink.emissions).toHaveLength(0);
    await clock.advance(1);
    await emitted;
    expect(sink.emissions).toHaveLength(1);
  });

  it('shows each emission once it is taken, and none that failed', async () => {
    const shown: string[] = [];
    const { sink } = createSink({
      onEmission: ({ verdict }) => shown.push(verdict.verdictId),
      acknowledge: ({ verdict }) =>
        verdict.verdictId === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve(),
    });
    await sink.emit(anEmission('good'));
    await expect(sink.emit(anEmission('bad'))).rejects.toThrow('no');
    expect(shown).toEqual(['good']);
  });
});
