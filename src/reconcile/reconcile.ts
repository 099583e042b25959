import type { KafkaClient } from '../kafka/client.ts';
import type { Config } from '../config-schema.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { rangesOf, readRanges, type OffsetRange, type TimeWindow } from '../kafka/read-range.ts';
import { AppError, dispositionOf } from '../errors.ts';
import { createDeadLetterDecoder, createVerdictDecoder, isRedriveNote } from '../events/index.ts';
import { originClaim } from '../events/origin.ts';
import { redrivenTo } from '../events/redrive-note.ts';
import type { SchemaRegistry } from '../events/schema-registry.ts';
import { useAdmin } from '../kafka/admin.ts';
import { Reconciliation } from './reconciliation.ts';
import type { ReconcileReport } from './report.ts';

/** Told how far a stage is, for whoever waits. */
export interface Stage {
  step(count: number): void;
  end(): void;
}

export interface ReconcileOptions {
  kafka: KafkaClient;
  /** The input topic that is asked about. */
  input: string;
  /** As configured. */
  topics: Pick<Config['topics'], 'verdicts' | 'routes' | 'deadLetters'>;
  /** The group of the service: what it has not committed may still be worked on. */
  groupId: string;
  /** Needed for verdicts in Confluent wire format. */
  registry?: SchemaRegistry | undefined;
  /** Proves which inputs are redriven records; without it, only notes among the dead letters do. */
  redriveKey?: string | undefined;
  /** Of the input records. @default all that the topic holds */
  window?: TimeWindow | undefined;
  /** How many of each kind of finding are named. @default 20 */
  limit?: number | undefined;
  /** Where the temporary file is made. @default the system's folder for such files */
  tempFolder?: string | undefined;
  /** How long reading may stand still, in ms; see `readRanges`. */
  stallTimeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called as a stage begins. `total`: records at most. */
  onStage?: ((doing: string, total: number) => Stage) | undefined;
}

/**
 * How much earlier than the window's beginning a verdict may seem to be: publishers and the service have clocks
 * of their own.
 */
const CLOCK_MARGIN_MS = 3_600_000;
/** Drawing a bar takes longer than reading a record. */
const STEP = 1_000;

/**
 * Reads an input topic and everything that was made of it, and reports whether each input has exactly one
 * outcome. Only what is in the topics by now counts. Takes memory for the findings that are named, not for the
 * records; those take about 60 bytes each on disk.
 *
 * Throws AppError `spill_failed`, `range_unreadable`, `topic_missing`, `kafka_unauthorized`, `kafka_unavailable`,
 * `registry_unavailable`, `registry_rejected` or `aborted`.
 */
export async function reconcile(options: ReconcileOptions): Promise<ReconcileReport> {
  const { kafka, input, topics, registry, redriveKey, window = {}, groupId } = options;
  // In this order: what the group had committed before the outputs' ends were asked for has its verdict in them.
  const inputs = await rangesOf(kafka, [input], window);
  const committed = await useAdmin(kafka, `asking for the offsets of ${groupId}`, (admin) =>
    admin.committed(groupId, input),
  );
  const verdictTopics = new Set([topics.verdicts, ...Object.values(topics.routes)]);
  const outputs = await rangesOf(kafka, [...verdictTopics, topics.deadLetters], {
    ...(window.fromMs !== undefined && { fromMs: window.fromMs - CLOCK_MARGIN_MS }),
  });

  const isWhole = window.fromMs === undefined && window.toMs === undefined;
  const held = isWhole ? inputs : await rangesOf(kafka, [input]);

  using reconciliation = new Reconciliation({
    topic: input,
    ranges: inputs,
    ends: new Map(held.map(({ partition, to }) => [partition, to])),
    limit: options.limit,
    folder: options.tempFolder,
  });
  await readStage(options, `reading ${input}`, inputs, (record) =>
    reconciliation.addInput(record.partition, record.offset, originClaim(record, redriveKey)),
  );

  const verdicts = createVerdictDecoder({ registry });
  const deadLetters = createDeadLetterDecoder({ registry });
  await readStage(options, 'reading verdicts and dead letters', outputs, async (record) => {
    const { topic, partition, offset, value } = record;
    const at = { topic, partition, offset };
    try {
      if (record.fault) throw new AppError(record.fault.code, record.fault.message);
      if (topic === topics.deadLetters) {
        if (isRedriveNote(record)) {
          const to = redrivenTo(record.headers);
          if (to) reconciliation.addNote(to);
          return;
        }
        reconciliation.addDeadLetter(await deadLetters.decode(value));
      } else {
        reconciliation.addVerdict(await verdicts.decode(value), at);
      }
    } catch (error) {
      if (dispositionOf(error) !== 'dead-letter') throw error;
      reconciliation.addUndecodable(at, error);
    }
  });

  const stage = options.onStage?.('comparing', sizeOf(inputs));
  const report = await reconciliation.report(committed, {
    signal: options.signal,
    onCompared: (count) => stage?.step(count),
  });
  stage?.end();
  return report;
}

async function readStage(
  { kafka, signal, stallTimeoutMs, onStage }: ReconcileOptions,
  doing: string,
  ranges: readonly OffsetRange[],
  onRecord: (record: KafkaRecord) => void | Promise<void>,
): Promise<void> {
  const stage = onStage?.(doing, sizeOf(ranges));
  let count = 0;
  await readRanges({
    kafka,
    ranges,
    signal,
    stallTimeoutMs,
    onRecord: (record) => {
      count += 1;
      if (count % STEP === 0) stage?.step(STEP);
      return onRecord(record);
    },
  });
  stage?.step(count % STEP);
  stage?.end();
}

function sizeOf(ranges: readonly OffsetRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}
