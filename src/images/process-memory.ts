import { readFileSync, writeFileSync } from 'node:fs';

/** Resident memory of a process, in bytes; null where there is no /proc, and for a process that has ended. */
export function residentBytes(pid: number | undefined): number | null {
  return statusBytes(pid, 'VmRSS');
}

/** The most resident memory that a process ever had, in bytes; null as for `residentBytes`. */
export function peakBytes(pid: number | undefined): number | null {
  return statusBytes(pid, 'VmHWM');
}

const FIELDS = { VmRSS: /^VmRSS:\s+(\d+) kB$/m, VmHWM: /^VmHWM:\s+(\d+) kB$/m };

/** proc_pid_status(5). Not statm: that counts pages, and nobody tells us how large they are. */
function statusBytes(pid: number | undefined, field: keyof typeof FIELDS): number | null {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
    const kibibytes = FIELDS[field].exec(status)?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    return null;
  }
}

/** When memory runs out, the kernel is to kill this process before any other of ours; proc_pid_oom_score_adj(5). */
export function offerToOomKiller(pid: number | undefined): void {
  try {
    writeFileSync(`/proc/${String(pid)}/oom_score_adj`, '1000');
  } catch {
    // No Linux, or no /proc to write to: the kernel chooses by size, as ever.
  }
}
