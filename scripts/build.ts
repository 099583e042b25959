/** Compiles src/ into dist/, which the published package and the container images run. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What package.json's `bin` and `exports` promise; a build without one of them is not shipped. */
const ENTRIES = ['dist/cli.js', 'dist/index.js', 'dist/events/index.js', 'dist/events/index.d.ts'];

rmSync(`${root}dist`, { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`],
  { stdio: 'inherit' },
);
const missing = ENTRIES.filter((entry) => !existsSync(root + entry));
if (status !== 0) process.exitCode = 1;
else if (missing.length > 0) {
  console.error(`building: tsc succeeded but did not write ${missing.join(', ')}`);
  process.exitCode = 1;
} else console.log('Built dist/.');
