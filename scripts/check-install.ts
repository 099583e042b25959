/**
 * Tries what the README promises of a fresh clone with every npm and Node that it names: copies what git would
 * commit into an empty folder and runs there, each with an npm and a Node of its own on the PATH,
 * - `npm run types`, which installs the dependencies first;
 * - `npm run demo -- --broker memory`;
 * - the remedy that `scripts/ensure-installed.js` prints, in a clone whose npm runs no install script at all.
 * Prints a Markdown table. Usage: node scripts/check-install.ts [--here | --npm MAJOR]   (needs the npm registry)
 * `--here` tries one row, the node and npm on the PATH; `--npm 12` those of that npm.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'moderato-install-'));
const node = `node_modules/node/bin/node`;

/** npm 12 runs on Node 22.22 and 24.15 or newer. */
const MATRIX = [
  { npm: 10, nodes: [20, 22, 24] },
  { npm: 11, nodes: [20, 22, 24] },
  { npm: 12, nodes: [22, 24] },
];

interface Row {
  npm: string;
  node: string;
  steps: string[];
  failed: boolean;
}

/** The PATH of somebody who runs npm themselves, not as a script of this clone. */
const hostPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter);

/** Without what the npm that runs this script told it. */
const hostEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^npm_(?!config_(registry|cache|cafile|.*proxy)$)|^(INIT_CWD|NODE)$/i.test(name),
  ),
);

/** Installs Node and npm of these majors in a folder of their own and returns what to put on the PATH. */
function toolchain(npmMajor: number, nodeMajor: number): string {
  const folder = join(work, `tools-${npmMajor}-${nodeMajor}`);
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    '{ "private": true, "allowScripts": { "node": true } }',
  );
  const packages = [`npm@${npmMajor}`, `node@${nodeMajor}`];
  const args = ['install', '--loglevel=error', '--no-fund', '--no-audit', ...packages];
  execFileSync('npm', args, { cwd: folder, env: { ...hostEnvironment, PATH: hostPath } });
  symlinkSync(join(folder, node), join(bin, 'node'));
  for (const name of ['npm', 'npx']) {
    symlinkSync(join(folder, `node_modules/npm/bin/${name}-cli.js`), join(bin, name));
  }
  return bin;
}

/** What git would commit, in an empty folder. */
function clone(): string {
  const folder = mkdtempSync(join(work, 'clone-'));
  const files = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: root });
  for (const file of files.toString().split('\0')) {
    if (file !== '' && existsSync(join(root, file))) cpSync(join(root, file), join(folder, file));
  }
  return folder;
}

function tryRow(bin: string | null): Row {
  const path = bin === null ? hostPath : bin + delimiter + hostPath;
  const environment = { ...hostEnvironment, PATH: path, CI: '1' };
  const versionOf = (tool: string): string =>
    execFileSync(tool, ['--version'], { encoding: 'utf8', env: environment }).trim();
  const row: Row = {
    npm: versionOf('npm'),
    node: versionOf('node').slice(1),
    steps: [],
    failed: false,
  };
  console.error(`npm ${row.npm} on Node ${row.node}`);
  const folder = clone();
  const step = (command: string, expected: RegExp, succeeds = true, extra = {}): void => {
    const started = Date.now();
    const { status, stdout, stderr } = spawnSync(command, {
      cwd: folder,
      env: { ...environment, ...extra },
      encoding: 'utf8',
      shell: true,
    });
    const ok = (status === 0) === succeeds && expected.test(stdout + stderr);
    const seconds = Math.round((Date.now() - started) / 1000);
    row.steps.push(ok ? `ok, ${seconds} s` : `**failed** (${String(status)})`);
    row.failed ||= !ok;
    if (!ok)
      console.error(`$ ${command}\n${stdout}${stderr}\nfailed with ${String(status)} in ${folder}`);
  };
  step('npm run types', /Installing dependencies: done/);
  step('npm run demo -- --broker memory --report demo.html', /motorcycle\.jpg/);
  step(`${node} --version`, new RegExp(`^v${manifest.devDependencies.node}\\s*$`));
  if (bin !== null) {
    rmSync(join(folder, 'node_modules'), { recursive: true });
    const remedy = 'npm rebuild node --ignore-scripts=false';
    const none = { npm_config_ignore_scripts: 'true' };
    // npm with `ignore-scripts` runs no `pre` script either.
    step(
      'npm ci --loglevel=error && node scripts/ensure-installed.js',
      new RegExp(remedy),
      false,
      none,
    );
    step(`${remedy} && node scripts/ensure-installed.js && ${node} --version`, /v24/, true, none);
  }
  if (!row.failed) rmSync(folder, { recursive: true });
  return row;
}

const here = process.argv.includes('--here');
const only = Number(process.argv[process.argv.indexOf('--npm') + 1]);
const heads = ['npm', 'Node', 'install and `npm run types`', '`npm run demo`', 'Node in place'];
if (!here) heads.push('remedy printed', 'remedy works');
const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
console.log(line(heads));
console.log(line(heads.map(() => '---')));

const toolchains = MATRIX.filter(({ npm }) => !process.argv.includes('--npm') || npm === only);
let failed = false;
for (const { npm, nodes } of here ? [{ npm: null, nodes: [0] }] : toolchains) {
  for (const major of nodes) {
    const row = tryRow(npm === null ? null : toolchain(npm, major));
    console.log(line([row.npm, row.node, ...row.steps]));
    failed ||= row.failed;
  }
}
if (failed) process.exitCode = 1;
else rmSync(work, { recursive: true });
