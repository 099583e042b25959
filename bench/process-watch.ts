import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Window } from './statistics.ts';

/** Memory and CPU time of the processes that had one role, for example all decoders. */
export interface Usage {
  /** How many processes at most at one time. */
  processes: number;
  /** The highest resident memory of one of them, in MiB. */
  peakMiB: number;
  /** CPU seconds of all of them for 1,000 events. */
  cpuPer1000: number;
}

interface Sample {
  at: number;
  cpuSeconds: number;
}

interface Watched {
  role: string;
  peakMiB: number;
  samples: Sample[];
}

const EVERY_MS = 500;
/** Linux counts CPU time in hundredths of a second, whatever the hardware. */
const TICKS_PER_SECOND = 100;

/**
 * Samples processes and their children from /proc until stopped; sees nothing where there is none. A child's
 * role is the name of the script that it runs.
 */
export class ProcessWatch {
  readonly #roots: ReadonlyMap<number, string>;
  readonly #watched = new Map<number, Watched>();
  readonly #most = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #loop: Promise<void>;

  /** `roots`: process id to role. */
  constructor(roots: ReadonlyMap<number, string>) {
    this.#roots = roots;
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** By role; the CPU time is that within the window. */
  usage(window: Window): Record<string, Usage> {
    const usage: Record<string, Usage> = {};
    for (const { role, peakMiB, samples } of this.#watched.values()) {
      const sum = (usage[role] ??= {
        processes: this.#most.get(role) ?? 0,
        peakMiB: 0,
        cpuPer1000: 0,
      });
      sum.peakMiB = Math.max(sum.peakMiB, peakMiB);
      const cpuSeconds = cpuAt(samples, window.until) - cpuAt(samples, window.from);
      sum.cpuPer1000 += (cpuSeconds * 1000) / window.events;
    }
    return usage;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#sampleAll();
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined); // stopped
    }
    await this.#sampleAll();
  }

  async #sampleAll(): Promise<void> {
    const now = new Map<string, number>();
    for (const [root, name] of this.#roots) {
      for (const { pid, role } of [{ pid: root, role: name }, ...(await childrenOf(root))]) {
        if (await this.#sample(pid, role)) now.set(role, (now.get(role) ?? 0) + 1);
      }
    }
    for (const [role, count] of now) {
      this.#most.set(role, Math.max(this.#most.get(role) ?? 0, count));
    }
  }

  async #sample(pid: number, role: string): Promise<boolean> {
    const [status, stat] = await Promise.all([readProc(pid, 'status'), readProc(pid, 'stat')]);
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (peak === undefined || stat === '') return false;
    const watched = this.#watched.get(pid) ?? { role, peakMiB: 0, samples: [] };
    watched.peakMiB = Math.max(watched.peakMiB, Number(peak) / 1024);
    watched.samples.push({ at: Date.now(), cpuSeconds: cpuSecondsOf(stat) });
    this.#watched.set(pid, watched);
    return true;
  }
}

/** CPU seconds, user and system, of a line of /proc/PID/stat; the command in it may hold spaces and brackets. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // proc_pid_stat(5): utime and stime are fields 14 and 15, counted from 1; the cut is before the third.
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** CPU time at a moment, between the two samples next to it. */
export function cpuAt(samples: readonly Sample[], moment: number): number {
  const after = samples.findIndex(({ at }) => at >= moment);
  const b = samples[after] ?? samples.at(-1);
  const a = samples[after - 1] ?? b;
  if (a === undefined || b === undefined) return 0;
  const share = b.at === a.at ? 1 : Math.min(1, (moment - a.at) / (b.at - a.at));
  return a.cpuSeconds + share * (b.cpuSeconds - a.cpuSeconds);
}

/** The processes that a process has started; none where there is no /proc. */
export async function childrenOf(pid: number): Promise<Array<{ pid: number; role: string }>> {
  const threads = await readdir(`/proc/${pid}/task`).catch((): string[] => []);
  const lists = await Promise.all(
    threads.map((thread) => readProc(pid, `task/${thread}/children`)),
  );
  const ids = lists.flatMap((list) => list.trim().split(' ').filter(Boolean).map(Number));
  const children = await Promise.all(ids.map(async (id) => ({ pid: id, role: await roleOf(id) })));
  return children.filter(({ role }) => role !== '');
}

/** Empty for a process that is about to become another one, or to end. */
async function roleOf(pid: number): Promise<string> {
  const words = (await readProc(pid, 'cmdline')).split('\0');
  const script = words.find((word) => /\.[jt]s$/.test(word)) ?? words[0] ?? '';
  return script.replace(/.*\//, '').replace(/\.[jt]s$/, '');
}

/** Empty when the process is gone. */
function readProc(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
