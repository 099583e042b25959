import { createVerdictDecoder } from '../src/events/index.ts';
import type { Config } from '../src/config-schema.ts';
import { rangesOf, readRanges } from '../src/kafka/read-range.ts';
import { reconcile } from '../src/reconcile/reconcile.ts';
import type { World } from './world.ts';

/** The verdict of one event. */
export interface Found {
  /** `judged`, or the reason's code of an event that was not inspected. */
  outcome: string;
  /** ms since the epoch, when the broker had the verdict. */
  at: number;
  /** Of decoding and inference, waiting for a decoder included, in ms. */
  workMs: number;
}

/** Reads every verdict, and asks `moderato reconcile` whether each record of the input topics has exactly one. */
export async function prove(
  { kafka }: World,
  { topics, kafka: { groupId } }: Config,
  inputs: readonly string[],
): Promise<{ found: Map<string, Found>; breaches: string[] }> {
  const decoder = createVerdictDecoder();
  const found = new Map<string, Found>();
  await readRanges({
    kafka,
    ranges: await rangesOf(kafka, [topics.verdicts]),
    onRecord: async ({ value, timestamp }) => {
      const { eventId, outcome, reason, timings } = await decoder.decode(value);
      if (eventId === null || found.has(eventId)) return;
      found.set(eventId, {
        outcome: outcome === 'not_inspected' ? (reason?.code ?? outcome) : 'judged',
        at: timestamp,
        workMs: (timings.decodeMs ?? 0) + (timings.inferMs ?? 0),
      });
    },
  });
  const breaches: string[] = [];
  for (const input of inputs) {
    const question = { kafka, topics, input, groupId, limit: 3 };
    const report = await reconcile(question);
    if (report.proven) continue;
    const said = JSON.stringify({ ...report, ranges: undefined, versions: undefined });
    breaches.push(`moderato reconcile of ${input} is not convinced: ${said}`);
  }
  return { found, breaches };
}
