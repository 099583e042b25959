import { describe, expect, it, jest } from '@jest/globals';
import type { Delivery, DeliverySuspicion, EventSource } from '../src/consumers/event-source.ts';
import { AppError } from '../src/errors.ts';
import type { Emission } from '../src/producers/verdict-sink.ts';
import { setUpPipeline } from './support/pipeline.ts';

/** Delivers every record as one that was in flight when processes died. */
function suspect(source: EventSource, suspicion: DeliverySuspicion): void {
  const deliveries = source.deliveries();
  source.deliveries = async function* (): AsyncGenerator<Delivery> {
    for await (const delivery of deliveries) yield { ...delivery, suspicion };
  };
}

async function judged(
  suspicion: DeliverySuspicion,
  quarantineAfter?: number,
): Promise<{ emission: Emission | undefined; committed: number }> {
  const { pipeline, source, sink, topic } = setUpPipeline({
    names: ['gun'],
    ...(quarantineAfter !== undefined && { limits: { quarantineAfter } }),
  });
  suspect(source, suspicion);
  await pipeline.run();
  return { emission: sink.emissions[0], committed: topic.committed() };
}

const fault = 'Maximum call stack size exceeded';

describe('a record that ends the process', () => {
  it('ends the run with its error, and is accused before the run has ended', async () => {
    const { pipeline, source, sink, topic } = setUpPipeline({ names: ['lake', 'defect', 'gun'] });
    const accuse = jest.spyOn(source, 'accuse');
    await expect(pipeline.run()).rejects.toThrow(TypeError);
    expect(accuse.mock.calls).toEqual([
      ['undefined is not a function', [expect.objectContaining({ offset: 1 })]],
    ]);
    expect(sink.emissions.map(({ verdict }) => verdict.eventId)).not.toContain('defect');
    expect(topic.committed()).toBeLessThanOrEqual(1);
  });

  it('is told together with its error', async () => {
    const onFailure = jest.fn<(error: unknown, record?: { offset: number }) => void>();
    const { pipeline } = setUpPipeline({ names: ['lake', 'defect'], parts: { onFailure } });
    await expect(pipeline.run()).rejects.toThrow(TypeError);
    expect(onFailure.mock.calls).toEqual([
      [expect.any(TypeError), expect.objectContaining({ offset: 1 })],
    ]);
  });

  it('is not accused when the error is a known one, which says what to do', async () => {
    const { pipeline, source } = setUpPipeline({
      names: ['gun'],
      acknowledge: () => Promise.reject(new AppError('topic_missing', 'sending: no topic')),
    });
    const accuse = jest.spyOn(source, 'accuse');
    await expect(pipeline.run()).rejects.toMatchObject({ code: 'topic_missing' });
    expect(accuse).not.toHaveBeenCalled();
  });
});

describe('a record that processes have died at', () => {
  it('is quarantined after three deaths, the last while it was alone: a dead letter and a verdict', async () => {
    const { emission, committed } = await judged({ deaths: 3, alone: 1, fault });
    expect(emission).toMatchObject({
      verdict: {
        eventId: null,
        outcome: 'not_inspected',
        reason: { code: 'record_quarantined', requested: 'review' },
      },
      deadLetter: { partition: 0, offset: 0, error: { code: 'record_quarantined' } },
    });
    expect(emission?.deadLetter?.error.message).toContain(`images/0/0`);
    expect(emission?.deadLetter?.error.message).toContain(`died 3 times`);
    expect(emission?.deadLetter?.error.message).toContain(fault);
    expect(committed).toBe(1);
  });

  it.each([
    ['it was never alone in flight: another record may be the cause', { deaths: 9, alone: 0 }],
    ['it has died less often than that', { deaths: 2, alone: 2 }],
  ])('is judged as any other while %s', async (_, counts) => {
    const { emission } = await judged({ ...counts, fault });
    expect(emission?.verdict).toMatchObject({ eventId: 'gun', outcome: 'block', reason: null });
    expect(emission?.deadLetter).toBeUndefined();
  });

  it('is never quarantined with quarantineAfter 0, and at once with 1', async () => {
    const counts = { deaths: 1, alone: 1, fault };
    const never = await judged({ ...counts, deaths: 99 }, 0);
    expect(never.emission?.verdict.outcome).toBe('block');
    const atOnce = await judged(counts, 1);
    expect(atOnce.emission?.deadLetter?.error.code).toBe('record_quarantined');
  });
});
