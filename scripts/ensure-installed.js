// Installs the dependencies when they are missing or older than the lock file, so that `npm test` and
// `npm run demo` work in a fresh clone. Runs on any Node and needs no package.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Whether what npm says it installed is what the lock file asks for. */
function isInstalled() {
  const installed = `${root}node_modules/.package-lock.json`;
  if (!existsSync(installed)) return false;
  const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
  const there = packagesOf(installed);
  return Object.entries(packagesOf(`${root}package-lock.json`)).every(
    ([path, { version, optional }]) => path === '' || optional || there[path]?.version === version,
  );
}

if (!isInstalled()) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const say = (text) => process.stderr.write(process.stderr.isTTY ? `\r${text}` : `${text}\n`);
  say('Installing dependencies with npm ci (once) …');
  const everyMs = process.stderr.isTTY ? 1000 : 10_000;
  const ticker = setInterval(
    () => say(`Installing dependencies with npm ci … ${seconds()} s`),
    everyMs,
  );
  const npm = spawn('npm', ['ci', '--loglevel=error', '--no-fund', '--no-audit'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (chunk) => (output += chunk));
  const [status] = await once(npm, 'close');
  clearInterval(ticker);
  if (status !== 0) {
    console.error(`\n${output}\nnpm ci failed with exit code ${status}.`);
    process.exit(1);
  }
  say(`Installed dependencies in ${seconds()} s.                    \n`);
}
