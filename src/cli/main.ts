import type { Command } from 'commander';
import { AppError, type ErrorCode } from '../errors.ts';
import { printableLines } from './printable.ts';

/** sysexits.h: a temporary failure, where a restart may help. */
const EX_TEMPFAIL = 75;
/** sysexits.h: an error of ours. */
const EX_SOFTWARE = 70;

const TEMPORARY: ReadonlySet<ErrorCode> = new Set([
  'kafka_unavailable',
  'consumer_crashed',
  'encoder_failed',
  'registry_unavailable',
]);

/**
 * Runs a command line. Whatever it throws is told on stderr and becomes the exit code: 1 for what its user can
 * mend, 75 for an outage (restart it), 70 for a defect.
 */
export async function runMain(program: Command, argv: readonly string[]): Promise<void> {
  quieten();
  // `moderato tail | head` closes the pipe when it has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    process.stderr.write(`${describe(error)}\n`);
  }
}

/**
 * kafkajs 2.2.4 sets a timer to a time that has passed, once a process, and Node 24 warns of it. Earlier releases
 * of Node 24 call their SQLite experimental.
 */
function quieten(): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    if (name === 'TimeoutNegativeWarning') return;
    if (name === 'ExperimentalWarning' && message.startsWith('SQLite')) return;
    process.stderr.write(`${printableLines(`${name}: ${message}`)}\n`);
  });
}

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof AppError)) return EX_SOFTWARE;
  return TEMPORARY.has(error.code) ? EX_TEMPFAIL : 1;
}

function describe(error: unknown): string {
  if (error instanceof AppError) return printableLines(`moderato: ${error.code}: ${error.message}`);
  const what = error instanceof Error ? String(error.stack) : String(error);
  return printableLines(`moderato: an unexpected error; please report it.\n${what}`);
}
