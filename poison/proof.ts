import { createVerdictDecoder, createDeadLetterDecoder } from '../src/events/index.ts';
import { rangesOf, readRanges } from '../src/kafka/read-range.ts';
import { reconcile } from '../src/reconcile/reconcile.ts';
import { firstInput } from '../src/topics.ts';
import type { Expected } from './kind.ts';
import { placeOf, type Plan } from './plan.ts';
import type { World } from './world.ts';

export interface KindResult {
  records: number;
  /** How many records came to which outcome: an outcome, or the code of its reason. */
  outcomes: Map<string, number>;
}

export interface Proof {
  kinds: Map<string, KindResult>;
  /** What must not be, each with its place. */
  breaches: string[];
  duplicates: number;
  deadLetters: number;
}

interface Found {
  ids: Set<string>;
  outcome: string;
  code: string | null;
  times: number;
}

/** Faults of ours, whatever the record. */
const NEVER = new Set(['record_quarantined', 'emission_unencodable', 'inference_failed']);

/** Holds what was published against what came out, and asks `moderato reconcile` for its opinion. */
export async function prove({ kafka, config }: World, plan: Plan): Promise<Proof> {
  const { topics } = config;
  const found = await findVerdicts(kafka, topics.verdicts);
  const letters = await findLetters(kafka, topics.deadLetters);
  const kinds = new Map<string, KindResult>();
  const breaches: string[] = [];
  let duplicates = 0;
  for (const [place, { kind, expected }] of plan) {
    const result = kinds.get(kind) ?? { records: 0, outcomes: new Map<string, number>() };
    kinds.set(kind, result);
    result.records += 1;
    const verdict = found.get(place);
    const label = verdict === undefined ? 'NONE' : (verdict.code ?? verdict.outcome);
    result.outcomes.set(label, (result.outcomes.get(label) ?? 0) + 1);
    duplicates += (verdict?.times ?? 1) - 1;
    const fault = faultOf(verdict, expected, letters.has(place));
    if (fault !== undefined) breaches.push(`${kind} at ${place}: ${fault}`);
  }
  for (const place of found.keys()) {
    const [partition, offset] = place.split('/').map(Number);
    if (plan.get(partition ?? -1, offset ?? -1)) continue;
    breaches.push(`a verdict of ${place}, where no record was published or committed`);
  }
  const { groupId } = config.kafka;
  const report = await reconcile({
    kafka,
    topics,
    input: firstInput(topics),
    groupId,
    limit: 3,
  });
  if (!report.proven) {
    const said = { ...report, ranges: undefined, versions: undefined };
    breaches.push(`moderato reconcile is not convinced: ${JSON.stringify(said)}`);
  }
  return { kinds, breaches, duplicates, deadLetters: letters.size };
}

export function faultOf(
  verdict: Found | undefined,
  expected: Expected,
  hasLetter: boolean,
): string | undefined {
  if (verdict === undefined) return 'no verdict';
  if (verdict.ids.size > 1) return `${verdict.ids.size} verdicts that differ`;
  const { outcome, code } = verdict;
  if (code !== null && NEVER.has(code)) return code;
  const isJudged = outcome !== 'not_inspected';
  const became = isJudged ? 'judged' : hasLetter ? 'dead-letter' : 'not-inspected';
  if (isJudged && hasLetter) return 'judged, and a dead letter';
  if (expected === 'any' || expected === became) return undefined;
  if (expected === 'refused' && !isJudged) return undefined;
  return `expected ${expected}, became ${became} (${code ?? outcome})`;
}

async function findVerdicts(kafka: World['kafka'], topic: string): Promise<Map<string, Found>> {
  const decoder = createVerdictDecoder();
  const found = new Map<string, Found>();
  await readRanges({
    kafka,
    ranges: await rangesOf(kafka, [topic]),
    onRecord: async ({ value }) => {
      const { input, verdictId, outcome, reason } = await decoder.decode(value);
      const place = placeOf(input.partition, input.offset);
      const code = reason?.code ?? null;
      const verdict = found.get(place) ?? { ids: new Set(), outcome, code, times: 0 };
      found.set(place, verdict);
      verdict.ids.add(verdict.outcome === outcome ? verdictId : `${verdictId} ${outcome}`);
      verdict.times += 1;
    },
  });
  return found;
}

/** Where records with a dead letter lie. */
async function findLetters(kafka: World['kafka'], topic: string): Promise<Set<string>> {
  const decoder = createDeadLetterDecoder();
  const places = new Set<string>();
  await readRanges({
    kafka,
    ranges: await rangesOf(kafka, [topic]),
    onRecord: async ({ value }) => {
      const { partition, offset } = await decoder.decode(value);
      places.add(placeOf(partition, offset));
    },
  });
  return places;
}
