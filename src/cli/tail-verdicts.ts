import type { KafkaClient } from '../kafka/client.ts';
import { AppError } from '../errors.ts';
import { createVerdictDecoder } from '../events/index.ts';
import type { SchemaRegistry } from '../events/schema-registry.ts';
import type { Verdict } from '../events/types.generated.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { followTopics, rangesOf } from '../kafka/read-range.ts';

export interface TailOptions {
  kafka: KafkaClient;
  topics: string[];
  registry?: SchemaRegistry | undefined;
  fromBeginning: boolean;
  signal: AbortSignal;
  /** What is published from now on will be seen. */
  onReady?: () => void;
  onVerdict: (verdict: Verdict) => void;
  /** A record that is no verdict. */
  onUndecodable: (record: KafkaRecord, error: AppError) => void;
}

/**
 * Reads verdicts until aborted. Throws AppError `registry_unavailable` or `registry_rejected`, and what `followTopics`
 * does.
 */
export async function tailVerdicts(options: TailOptions): Promise<void> {
  const { kafka, topics, registry, fromBeginning, signal, onReady, onVerdict } = options;
  const decoder = createVerdictDecoder({ registry });
  const ranges = await rangesOf(kafka, topics);
  onReady?.();
  await followTopics({
    kafka,
    positions: ranges.map(({ from, to, ...partition }) => ({
      ...partition,
      from: fromBeginning ? from : to,
    })),
    signal,
    onRecord: async (record) => {
      try {
        if (record.fault) throw new AppError(record.fault.code, record.fault.message);
        onVerdict(await decoder.decode(record.value));
      } catch (error) {
        if (!(error instanceof AppError) || error.disposition !== 'dead-letter') throw error;
        options.onUndecodable(record, error);
      }
    },
  });
}
