import { readFileSync, writeFileSync } from 'node:fs';

/** Resident memory of a process, in bytes; null where there is no /proc, and for a process that has ended. */
export function residentBytes(pid: number | undefined): number | null {
  try {
    // Not statm: that counts pages, and nobody tells us how large they are.
    const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
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
