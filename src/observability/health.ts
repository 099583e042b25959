/**
 * What the probes answer. Pure: it is told facts, and asks the source for its status when it is asked itself.
 */
import type { SourceStatus } from '../consumers/event-source.ts';
import { listed, type Absence } from './absences.ts';

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

export interface ProbeReport {
  status: 'ok' | 'unavailable';
  checks: Check[];
}

type Fact = Omit<Check, 'name'>;

/**
 * Live: worth keeping. Ready: doing its work. A process that still loads its model is live and not ready;
 * one whose consumer is dead is neither, and only a restart helps it.
 */
export class Health {
  #death: string | null = null;
  #draining = false;
  #model: Fact = { ok: false, detail: 'loading' };
  #topics: Fact = { ok: false, detail: 'not checked yet' };
  #stalls: readonly string[] = [];
  #source: (() => SourceStatus) | null = null;
  #absent: () => readonly Absence[] = () => [];

  modelLoaded(detail: string): void {
    this.#model = { ok: true, detail };
  }

  topicsChecked(detail: string): void {
    this.#topics = { ok: true, detail };
  }

  /** From now on the consumer's part of both probes is what `status` says at that moment. */
  observeSource(status: () => SourceStatus): void {
    this.#source = status;
  }

  /** What records wait for. It is told and does not make the process unready: others are served. */
  observeAbsent(absent: () => readonly Absence[]): void {
    this.#absent = absent;
  }

  /** What stands still now. It is told and does not make the process unready: a restart would not help it. */
  standsStill(stalls: readonly string[]): void {
    this.#stalls = stalls;
  }

  /** The process was told to stop and finishes what is in flight: live still, no longer ready. */
  draining(): void {
    this.#draining = true;
  }

  /** The process cannot go on, for this reason. The first one told is kept. */
  died(reason: string): void {
    this.#death ??= reason;
  }

  live(): ProbeReport {
    return report([this.#process(), this.#consumer()]);
  }

  ready(): ProbeReport {
    return report([
      this.#process(),
      { name: 'model', ...this.#model },
      { name: 'topics', ...this.#topics },
      this.#consumer(),
      this.#assignment(),
      { name: 'dependencies', ok: true, detail: tell(this.#absent()) },
      { name: 'stalls', ok: true, detail: this.#stalls.join('\n') || 'none' },
      {
        name: 'draining',
        ok: !this.#draining,
        detail: this.#draining ? 'stopping: finishing what is in flight' : 'no',
      },
    ]);
  }

  #process(): Check {
    return { name: 'process', ok: this.#death === null, detail: this.#death ?? 'running' };
  }

  #consumer(): Check {
    const status = this.#source?.();
    if (!status) return { name: 'consumer', ok: true, detail: 'not started yet' };
    if (this.#draining) return { name: 'consumer', ok: true, detail: 'stopping' };
    return status.alive
      ? { name: 'consumer', ok: true, detail: status.paused ? 'alive, paused' : 'alive' }
      : { name: 'consumer', ok: false, detail: 'dead: it does not receive records any more' };
  }

  #assignment(): Check {
    const status = this.#source?.();
    if (!status?.assigned) {
      return { name: 'assignment', ok: false, detail: 'no assignment from the group yet' };
    }
    const count = status.partitions.length;
    return { name: 'assignment', ok: true, detail: `${count} partition${count === 1 ? '' : 's'}` };
  }
}

function tell(absent: readonly Absence[]): string {
  if (absent.length === 0) return 'none is known to be absent';
  return listed(
    absent,
    ({ dependency, waiting, ms }) =>
      `${dependency} absent for ${Math.round(ms / 1000)} s, ${waiting} waiting`,
  ).join('\n');
}

function report(checks: Check[]): ProbeReport {
  return { status: checks.every((check) => check.ok) ? 'ok' : 'unavailable', checks };
}
