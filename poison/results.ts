import Table from 'cli-table3';
import type { Proof } from './proof.ts';

/** Of the service's process, in MiB. What a record of 25 MB takes is in this several times. */
export const MAX_SERVICE_MIB = 1_200;
/** For so long `/livez` may be silent, in ms. */
export const MAX_SILENCE_MS = 1_000;
const MOST_SHOWN = 20;

export interface PoisonResults extends Proof {
  delivery: string;
  /** That were published and acknowledged; those of aborted transactions are not among them. */
  published: number;
  /** Records that the broker refused, by kind. */
  refused: ReadonlyMap<string, number>;
  /** How the service ended without being told to. */
  exits: readonly string[];
  serviceMiB: number;
  decoderMiB: number;
  /** The longest time in which `/livez` was not answered, without waiting for a core; and with it. */
  silenceMs: number;
  totalSilenceMs: number;
  probes: number;
  /** Records that the group has not committed when the deadline passed; 0: all are committed. */
  uncommitted: number;
  seconds: number;
  date: string;
  command: string;
}

/** What the promise does not allow. */
export function brokenPromises(results: PoisonResults): string[] {
  const { exits, serviceMiB, silenceMs, probes, uncommitted, breaches, duplicates } = results;
  return [
    ...(uncommitted > 0 ? [`${uncommitted} records are not committed at the deadline`] : []),
    ...(exits.length > 0 ? [`the service ended ${exits.length} times: ${exits.join(', ')}`] : []),
    ...(serviceMiB > MAX_SERVICE_MIB
      ? [`the service took ${serviceMiB.toFixed(0)} MiB, more than ${MAX_SERVICE_MIB}`]
      : []),
    ...(silenceMs >= MAX_SILENCE_MS || probes === 0
      ? [`/livez was silent for ${silenceMs.toFixed(0)} ms (${probes} probes)`]
      : []),
    ...(duplicates > 0 && results.delivery === 'exactly-once'
      ? [`${duplicates} verdicts twice`]
      : []),
    ...breaches.slice(0, MOST_SHOWN),
    ...(breaches.length > MOST_SHOWN ? [`… and ${breaches.length - MOST_SHOWN} more`] : []),
  ];
}

export function renderResults(results: PoisonResults): string {
  const table = new Table({
    head: ['kind', 'records', 'outcomes and codes'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'left'],
    colWidths: [44, 9, 62],
    wordWrap: true,
  });
  for (const [kind, { records, outcomes }] of results.kinds) {
    const said = [...outcomes]
      .toSorted(([, a], [, b]) => b - a)
      .map(([outcome, times]) => `${outcome} ${times}`);
    table.push([kind, records, said.join(', ')]);
  }
  for (const [kind, records] of results.refused) {
    table.push([kind, records, 'refused by the broker']);
  }
  const broken = brokenPromises(results);
  return [
    table.toString(),
    `${results.delivery}: ${results.published} records, each with its outcome, ${results.deadLetters} with a dead letter, ${results.duplicates} verdicts repeated, in ${results.seconds.toFixed(0)} s`,
    `highest memory of the service: ${results.serviceMiB.toFixed(0)} MiB (at most ${MAX_SERVICE_MIB}); of a decoder process: ${results.decoderMiB.toFixed(0)} MiB`,
    `longest silence of /livez: ${results.silenceMs.toFixed(0)} ms (less than ${MAX_SILENCE_MS}), ${results.totalSilenceMs.toFixed(0)} ms with waiting for a core, ${results.probes} probes; unexpected ends: ${results.exits.length}`,
    `${results.date}, ${results.command}`,
    broken.length === 0 ? 'No record stopped the stream.' : `BROKEN:\n  ${broken.join('\n  ')}`,
  ].join('\n');
}
