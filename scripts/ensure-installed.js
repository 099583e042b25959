// Installs the dependencies when they are missing or older than the lock file, so that `npm test` and
// `npm run demo` work in a fresh clone. Runs on any Node and needs no package.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const pinned = manifest.devDependencies.node;
// npm creates the link to it, which scripts find on their PATH, whether or not there is a binary.
const node = `${root}node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`;

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

/** Runs npm, showing how long it has been at it. Exits when npm fails. */
async function npm(doing, args) {
  const command = `npm ${args.join(' ')}`;
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const say = (text) => process.stderr.write(process.stderr.isTTY ? `\r${text}` : `${text}\n`);
  say(`${doing} with ${command} (once) …`);
  const everyMs = process.stderr.isTTY ? 1000 : 10_000;
  const ticker = setInterval(() => say(`${doing} with ${command} … ${seconds()} s`), everyMs);
  const child = spawn('npm', [...args, '--loglevel=error', '--no-fund', '--no-audit'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => (output += chunk));
  }
  const [status] = await once(child, 'close');
  clearInterval(ticker);
  if (status !== 0) {
    console.error(`\n${output}\n${command} failed with exit code ${status}.`);
    process.exit(1);
  }
  say(`${doing}: done in ${seconds()} s.                    \n`);
}

/** Exits with a remedy unless the pinned Node, which an install script of its package put in place, runs. */
function checkNode() {
  const { status, error, stdout, stderr } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (status === 0 && stdout.trim() === `v${pinned}`) return;
  const why = !existsSync(node)
    ? 'its install script has not run'
    : (error?.message ?? stderr.trim()) || `it answers ${stdout.trim()}`;
  console.error(
    `Node ${pinned}, which this clone runs on, is not at ${node}: ${why}. Either let npm run that script, once:
  npm rebuild node --ignore-scripts=false
or, where the binary of npm's package "node" does not run on this machine (musl, an old glibc), install Node ${pinned}
yourself and link it to that path.`,
  );
  process.exit(1);
}

if (!isInstalled()) await npm('Installing dependencies', ['ci']);
// An npm that blocked the script of an earlier state of this clone says that all is installed.
if (!existsSync(node)) await npm(`Putting Node ${pinned} in place`, ['rebuild', 'node']);
checkNode();
