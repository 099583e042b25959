import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ScoringReport } from '../children/scoring.ts';

const PROGRAM = fileURLToPath(new URL('../children/scoring.ts', import.meta.url));

/** (e) What scores cost beside inference, in a process of its own. */
export async function measureScoring(): Promise<ScoringReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM]);
  return JSON.parse(stdout) as ScoringReport;
}
