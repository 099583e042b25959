/**
 * `npm run mutants`: takes each safeguard of delivery, of fetching and of inspection out of a copy of the sources and
 * expects the unit tests to notice. A safeguard whose loss nobody notices is one that a later change may lose.
 * `npm run mutants -- outages fetches`: those whose name begins so; `-- --sample 12`: so many, others each day.
 */
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CONTENT } from './mutants/content.ts';
import { DELIVERY } from './mutants/delivery.ts';
import { ISOLATION } from './mutants/isolation.ts';
import type { Mutant } from './mutants/mutant.ts';
import { RECORDS } from './mutants/records.ts';

const ALL = [...DELIVERY, ...RECORDS, ...ISOLATION, ...CONTENT];
const { values, positionals: named } = parseArgs({
  options: { sample: { type: 'string' } },
  allowPositionals: true,
});
const CHOSEN = ALL.filter(
  ({ safeguard }) => named.length === 0 || named.some((name) => safeguard.startsWith(name)),
);
const day = Math.floor(Date.now() / 86_400_000);
const every = Math.ceil(CHOSEN.length / Number(values.sample ?? CHOSEN.length));
const MUTANTS = CHOSEN.filter((_, index) => index % every === day % every);

const COPIED = [
  'src',
  'test',
  'schemas',
  'policies',
  'models',
  'samples',
  'bin',
  'bench',
  'suites',
];
const FILES = ['asyncapi.yaml', 'package.json', 'jest.config.js', 'tsconfig.json', 'moderato.yaml'];

/** Of all tests together, and of those of one mutant. */
const WHOLE_MS = 900_000;
const MUTANT_MS = 60_000;

const folder = await mkdtemp(join(tmpdir(), 'moderato-mutants-'));
try {
  for (const name of [...COPIED, ...FILES]) await cp(name, join(folder, name), { recursive: true });
  await symlink(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  const tested = [...new Set(MUTANTS.flatMap(({ tests }) => tests))];
  if (!passes(tested, WHOLE_MS))
    throw new Error(`the tests fail without any mutant: ${tested.join(' ')}`);
  let survivors = 0;
  for (const mutant of MUTANTS) {
    const survives = await trial(mutant);
    if (survives) survivors += 1;
    console.log(`${survives ? 'SURVIVED' : 'noticed '} without "${mutant.safeguard}"`);
  }
  console.log(`${MUTANTS.length - survivors} of ${MUTANTS.length} mutants noticed`);
  process.exitCode = survivors === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true });
}

async function trial({ safeguard, file, from, to, tests }: Mutant): Promise<boolean> {
  const path = join(folder, file);
  const original = await readFile(path, 'utf8');
  if (original.split(from).length !== 2) {
    throw new Error(`${safeguard}: ${file} does not hold exactly once:\n${from}`);
  }
  await writeFile(
    path,
    original.replace(from, () => to),
  );
  const survives = passes(tests);
  await writeFile(path, original);
  return survives;
}

function passes(tests: readonly string[], timeout = MUTANT_MS): boolean {
  const flags = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const args = [...flags, ...tests, '--selectProjects', 'unit', '--silent', '--bail'];
  const limits = { timeout, killSignal: 'SIGKILL', detached: true } as const;
  const run = spawnSync(process.execPath, args, { cwd: folder, stdio: 'ignore', ...limits });
  // A mutant may run for ever: then jest's workers, which are in its process group, run on without it.
  if (run.error) endGroup(run.pid);
  return run.status === 0;
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it is gone.
  }
}
