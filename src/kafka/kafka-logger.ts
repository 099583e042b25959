import { logLevel, type LogEntry, type logCreator } from 'kafkajs';
import { systemClock, type Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';

/** Retries that are not worth a warning: leaders move and connections are renewed in normal operation. */
const QUIET_RETRIES = 3;

/** How long a line that has been written is counted instead of written again, in ms. */
const FOLD_MS = 10_000;
/** Lines that are remembered for folding. */
const MOST_FOLDED = 200;

/** Harmless, or reported by our own code with the remedy when it matters. */
const NOISE = [
  /^Limiting retries for the idempotent producer/, // the producer is replaced when they are used up
  /^The group is rebalancing/,
  /^Response without match/, // an answer that came after its timeout
];

/** What passes by itself, by what kafkajs says of it, and what is waited for. */
const PASSING: ReadonlyArray<[pattern: RegExp, waitingFor: string]> = [
  [/coordinator is loading/i, 'waiting for the coordinator, which is loading'],
  [/coordinator is not available|find group coordinator/i, 'waiting for a coordinator'],
  [/not the correct coordinator/i, 'waiting for the coordinator, which has moved'],
  [/no leader for this topic-partition/i, 'waiting for a leader of the partition'],
  [/not the leader for this topic-partition/i, 'waiting for the leader, which has moved'],
];

/** Fields that our own lines have already, and those that tell nothing without kafkajs' source. */
const LEFT_OUT = new Set(['message', 'timestamp', 'logger', 'stack', 'helpUrl', 'correlationId']);

/**
 * kafkajs' log lines in our logger, without stack traces, and the same line once in 10 s with the number of those left
 * out (`repeated`). kafkajs calls every attempt an error, although it tries again; what it gives up is thrown and
 * reported by the caller. So what it retries is `debug` at first and `warn` when it lasts.
 */
export function kafkaLogCreator(logger: Logger, clock: Clock = systemClock): logCreator {
  const folded = new Map<string, { since: number; repeated: number }>();
  return () => (entry) => {
    const level = levelOf(entry);
    const component = ['kafkajs', entry.namespace].filter(Boolean).join(' ');
    const { text, fields } = readable(entry.log);
    const key = [level, component, text, fields['broker'], fields['error']].join('\n');
    const now = clock.elapsed();
    const last = folded.get(key);
    if (last && now - last.since < FOLD_MS) {
      last.repeated += 1;
      return;
    }
    folded.delete(key); // the oldest stay first
    folded.set(key, { since: now, repeated: 0 });
    if (folded.size > MOST_FOLDED) folded.delete(folded.keys().next().value ?? '');
    const repeated = last?.repeated ?? 0;
    logger[level]({ ...fields, ...(repeated > 0 && { repeated }), component }, text);
  };
}

/** One line of text, and the fields beside it. */
function readable(log: LogEntry['log']): { text: string; fields: Record<string, unknown> } {
  const said = firstLine(log.message);
  const all = [said, firstLine(log['error'] ?? '')].join(' ');
  const [, waiting] = PASSING.find(([pattern]) => pattern.test(all)) ?? [];
  const fields = Object.entries(log)
    .filter(([name]) => !LEFT_OUT.has(name) && !(waiting !== undefined && name === 'error'))
    .map(([name, value]) => [name, value instanceof Error ? firstLine(value) : value] as const);
  return { text: waiting ?? said, fields: Object.fromEntries(fields) };
}

/** kafkajs logs an Error in place of a message here and there. */
function firstLine(message: unknown): string {
  const text = message instanceof Error ? message.message : String(message);
  return text.split('\n', 1)[0] ?? '';
}

function levelOf({ level, log, namespace }: LogEntry): 'debug' | 'warn' {
  if (level > logLevel.WARN) return 'debug';
  if (NOISE.some((pattern) => pattern.test(log.message))) return 'debug';
  const retryCount = log['retryCount'] as unknown;
  if (typeof retryCount === 'number') return retryCount < QUIET_RETRIES ? 'debug' : 'warn';
  return namespace === 'Connection' ? 'debug' : 'warn';
}
