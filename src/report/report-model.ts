import type {
  Band,
  BundleIdentity,
  ModelIdentity,
  Outcome,
  PolicyMode,
  PolicyResult,
  Thresholds,
  Verdict,
} from '../events/types.generated.ts';
import { decisiveResult, OUTCOMES } from './decisive.ts';
import type { PageEntry } from './page-logic.ts';

export interface ReportEntry {
  /** As the reader knows it: a path below the scanned folder. */
  file: string;
  /** A `data:image/…` URI, about 400 pixels wide; null when the image could not be decoded. */
  thumbnail: string | null;
  verdict: Verdict;
}

export interface Report {
  title: string;
  generatedAt: Date;
  bundle: BundleIdentity;
  model: ModelIdentity;
  entries: readonly ReportEntry[];
}

/** The scores in one part of the range. */
export interface Bin {
  count: number;
  /** The strongest band among them. */
  band: Band;
}

/** How one policy did over the whole scan. */
export interface PolicySummary {
  id: string;
  title: string;
  mode: PolicyMode;
  thresholds: Thresholds;
  blocked: number;
  reviewed: number;
  highest: number;
  /** Results that the cosine floor kept from firing. */
  heldBack: number;
  /** `HISTOGRAM_BINS` equal parts of the scores from 0 to 1. */
  histogram: Bin[];
}

export const HISTOGRAM_BINS = 50;

/** Entries in the order in which a person should see them: most severe first, then the strongest, then by name. */
export function inOrder(entries: readonly ReportEntry[]): ReportEntry[] {
  const severity = ({ verdict }: ReportEntry): number => OUTCOMES.indexOf(verdict.outcome);
  const strength = ({ verdict }: ReportEntry): number => decisiveResult(verdict)?.score ?? 0;
  return entries.toSorted(
    (a, b) =>
      severity(a) - severity(b) ||
      strength(b) - strength(a) ||
      (a.file < b.file ? -1 : Number(a.file > b.file)),
  );
}

export function countOutcomes(entries: readonly ReportEntry[]): Record<Outcome, number> {
  const counts = { block: 0, review: 0, not_inspected: 0, allow: 0 };
  for (const { verdict } of entries) counts[verdict.outcome]++;
  return counts;
}

export function summarizePolicies(entries: readonly ReportEntry[]): PolicySummary[] {
  const summaries = new Map<string, PolicySummary>();
  for (const result of entries.flatMap(({ verdict }) => verdict.policies)) {
    const summary = summaries.get(result.id) ?? emptySummary(result);
    summaries.set(result.id, summary);
    if (result.band === 'block') summary.blocked++;
    if (result.band === 'review') summary.reviewed++;
    summary.highest = Math.max(summary.highest, result.score);
    if (result.belowFloor) summary.heldBack++;
    addTo(summary.histogram, result);
  }
  return [...summaries.values()];
}

const STRENGTH: Readonly<Record<Band, number>> = { allow: 0, review: 1, block: 2 };

function addTo(histogram: Bin[], { score, band }: PolicyResult): void {
  const bin = histogram[Math.min(HISTOGRAM_BINS - 1, Math.floor(score * HISTOGRAM_BINS))];
  if (!bin) return;
  bin.count++;
  if (STRENGTH[band] > STRENGTH[bin.band]) bin.band = band;
}

function emptySummary({ id, title, mode, thresholds }: PolicyResult): PolicySummary {
  return {
    id,
    title,
    mode,
    thresholds,
    blocked: 0,
    reviewed: 0,
    highest: 0,
    heldBack: 0,
    histogram: Array.from({ length: HISTOGRAM_BINS }, () => ({ count: 0, band: 'allow' })),
  };
}

/** What the page's script filters and orders by. */
export function pageEntry({ file, verdict }: ReportEntry, rank: number): PageEntry {
  const { outcome, reason, policies, image, source, tenant, labels } = verdict;
  const words = [
    file,
    outcome,
    reason?.code,
    reason?.message,
    image?.format,
    source,
    tenant,
    ...Object.entries(labels).flat(),
    ...policies
      .filter(({ band }) => band !== 'allow')
      .flatMap(({ title, prompt }) => [title, prompt]),
  ];
  return {
    file,
    outcome,
    search: words
      .filter((word) => typeof word === 'string')
      .join(' ')
      .toLowerCase(),
    rank,
    scores: Object.fromEntries(policies.map(({ id, score, band }) => [id, { score, band }])),
  };
}
