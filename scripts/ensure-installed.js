// Installs the dependencies when they are missing or older than the lock file, so that
// `npm test` and `npm run demo` work in a fresh clone. Runs on any Node, needs no package.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = `${root}node_modules/.moderato-lock`;
const lock = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.error('Installing dependencies (npm ci, about a minute the first time) …');
  const started = Date.now();
  const progress = setInterval(() => {}, 1000);
  const { status } = spawnSync('npm', ['ci', '--loglevel=error', '--no-fund', '--no-audit'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  clearInterval(progress);
  if (status !== 0) {
    console.error(`npm ci failed with exit code ${status}; see its output above.`);
    process.exit(1);
  }
  writeFileSync(stamp, lock);
  console.error(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}
