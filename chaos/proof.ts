import { rangesOf, readRanges } from '../src/kafka/read-range.ts';
import { createVerdictDecoder } from '../src/events/index.ts';
import { reconcile } from '../src/reconcile/reconcile.ts';
import { firstInput } from '../src/topics.ts';
import { expectedOf } from './publisher.ts';
import type { Proof } from './results.ts';
import type { World } from './world.ts';

/** Reads, committed records only, all that went in and all that came out. */
export async function prove({ kafka, config }: World, say: (line: string) => void): Promise<Proof> {
  const { topics } = config;
  const { groupId } = config.kafka;
  const report = await reconcile({
    kafka,
    topics,
    input: firstInput(topics),
    groupId,
    limit: 5,
  });
  if (!report.proven) say(JSON.stringify(report, null, 2));
  const { wrong, quarantined, promisedLetters } = await lookAtVerdicts(kafka, topics.verdicts);
  return {
    inputs: report.inputs,
    verdicts: report.verdicts,
    lost: report.missing.count,
    duplicates: report.duplicates,
    conflicting: report.conflicting.count,
    unknown: report.unknown.count,
    undecodable: report.undecodable.count,
    deadLetters: report.deadLetters,
    lostDeadLetters: report.withoutDeadLetter.count,
    duplicateDeadLetters: report.deadLetters - promisedLetters + report.withoutDeadLetter.count,
    wrong,
    quarantined,
  };
}

/** A verdict that says another thing than its event demands belongs to another event. */
async function lookAtVerdicts(
  kafka: World['kafka'],
  topic: string,
): Promise<{ wrong: number; quarantined: number; promisedLetters: number }> {
  const decoder = createVerdictDecoder();
  const promised = new Set<string>();
  let wrong = 0;
  let quarantined = 0;
  await readRanges({
    kafka,
    ranges: await rangesOf(kafka, [topic]),
    onRecord: async ({ value }) => {
      const { eventId, outcome, reason, verdictId } = await decoder.decode(value);
      if (outcome !== expectedOf(eventId)) wrong += 1;
      if (reason?.code === 'record_quarantined') quarantined += 1;
      if (reason?.code.startsWith('event_')) promised.add(verdictId);
    },
  });
  return { wrong, quarantined, promisedLetters: promised.size };
}
