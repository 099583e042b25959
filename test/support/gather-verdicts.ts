import type { Kafka } from 'kafkajs';
import { tailVerdicts } from '../../src/cli/tail-verdicts.ts';
import type { Verdict } from '../../src/events/types.generated.ts';

/** Gathers the verdicts of a topic as they come, as a read_committed consumer sees them. */
export function gather(kafka: Kafka, topic: string) {
  const verdicts: Verdict[] = [];
  const enough = new AbortController();
  const reading = tailVerdicts({
    kafka,
    topics: [topic],
    fromBeginning: true,
    signal: enough.signal,
    onVerdict: (verdict) => verdicts.push(verdict),
    onUndecodable: (_, error) => {
      throw error;
    },
  });
  const stop = (): Promise<void> => {
    enough.abort();
    return reading;
  };
  return { verdicts, stop };
}
