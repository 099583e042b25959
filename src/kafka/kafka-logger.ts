import { logLevel, type LogEntry, type logCreator } from 'kafkajs';
import type { Logger } from '../logger.ts';

/** As many retries are nothing to speak of: leaders move and connections are renewed in normal operation. */
const QUIET_RETRIES = 3;

/** Known to be harmless, or said by us with the remedy when it matters. */
const NOISE = [
  /^Limiting retries for the idempotent producer/, // we replace the producer when they are used up
  /^The group is rebalancing/,
  /^Response without match/, // an answer that came after its timeout
];

/** Fields that our own lines have already. */
const OURS = new Set(['message', 'timestamp', 'logger']);

/**
 * kafkajs' log lines in our logger. It calls every attempt an error, although it tries again; what it gives
 * up is thrown and reported where it strikes. So what it retries is `debug` at first and `warn` when it lasts.
 */
export function kafkaLogCreator(logger: Logger): logCreator {
  return () => (entry) => {
    const fields = Object.entries(entry.log).filter(([name]) => !OURS.has(name));
    const component = `kafkajs ${entry.namespace}`.trim();
    logger[levelOf(entry)]({ ...Object.fromEntries(fields), component }, entry.log.message);
  };
}

function levelOf({ level, log, namespace }: LogEntry): 'debug' | 'warn' {
  if (level > logLevel.WARN) return 'debug';
  if (NOISE.some((pattern) => pattern.test(log.message))) return 'debug';
  const retryCount = log['retryCount'] as unknown;
  if (typeof retryCount === 'number') return retryCount < QUIET_RETRIES ? 'debug' : 'warn';
  return namespace === 'Connection' ? 'debug' : 'warn';
}
