import { messageOf } from '../src/errors.ts';
import type { Measurement, Trial } from './trial.ts';

/**
 * Runs the trials in turn, round by round, so that what else happens on the machine strikes all of them. One that
 * fails is not run again. Returns what each came to, and why there is no more.
 */
export async function runRounds(
  trials: readonly Trial[],
  rounds: number,
  say: (line: string) => void,
): Promise<(trial: Trial) => [Measurement[], string | null]> {
  const measured = new Map<Trial, Measurement[]>(trials.map((trial) => [trial, []]));
  const faults = new Map<Trial, string>();
  for (let round = 1; round <= rounds; round++) {
    for (const trial of trials) {
      if (faults.has(trial) || round > (trial.rounds ?? rounds)) continue;
      try {
        const result = await trial.run();
        measured.get(trial)?.push(result);
        say(`round ${round} of ${rounds}: ${trial.title}: ${result.rate.toFixed(0)} events/s`);
      } catch (error) {
        faults.set(trial, messageOf(error));
        say(`${trial.title}: ${messageOf(error)}`);
      }
    }
  }
  return (trial) => [measured.get(trial) ?? [], faults.get(trial) ?? null];
}
