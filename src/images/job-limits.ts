import { residentBytes } from './process-memory.ts';

export interface JobLimits {
  /** The most time the job may take, in ms. */
  timeoutMs: number;
  /** The most resident memory its process may take, in bytes; watched where there is a /proc. */
  memoryBytes: number;
}

export interface JobWatchOptions extends JobLimits {
  /** Of the process that does the job. */
  pid: number | undefined;
  /** Called at most once. */
  onOver: (limit: 'timeout' | 'memory', why: string) => void;
}

/**
 * A timer this late says that we stood still ourselves, as in a paused container: the decoder may have stood
 * still too, or its answer may wait behind the timer. So the image is given its time again.
 */
const LATE_MS = 500;
/** Memory is looked at this often. Most images are done before the first look. */
const LOOK_MS = 50;

/** Holds a process to its limits while it does a job; returns what ends that. */
export function watchJob(options: JobWatchOptions): () => void {
  const { pid, timeoutMs, memoryBytes, onOver } = options;
  let timer: NodeJS.Timeout;

  const stop = (): void => {
    clearTimeout(timer);
    clearInterval(looking);
  };
  const limitTime = (): void => {
    const due = performance.now() + timeoutMs;
    timer = setTimeout(() => {
      if (performance.now() - due > LATE_MS) {
        limitTime();
        return;
      }
      stop();
      onOver('timeout', `not done after ${timeoutMs} ms`);
    }, timeoutMs);
  };
  const looking = setInterval(() => {
    const bytes = residentBytes(pid);
    if (bytes === null || bytes <= memoryBytes) return;
    stop();
    onOver('memory', `its process took ${inMiB(bytes)} MiB, more than ${inMiB(memoryBytes)} MiB`);
  }, LOOK_MS);
  limitTime();
  return stop;
}

function inMiB(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
