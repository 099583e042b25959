#!/usr/bin/env node
// Starts Moderato: the sources in a clone, the build in the package. Plain JavaScript that an old Node can
// run too, so that it answers with a remedy instead of a syntax error.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT, OPTIONS } from './process-memory.js';

const NEEDED = 24;
/** Installs what is missing, and says what to do where npm cannot: `npm ci` alone does not. */
const INSTALL = 'node scripts/ensure-installed.js';
/** Commands whose process is worth settings of its own. */
const RUN_LONG = ['run', 'tune'];

const root = fileURLToPath(new URL('..', import.meta.url));
const inClone = existsSync(`${root}src/cli.ts`);
const pinnedNode = `${root}node_modules/node/bin/node`;

if (Number.parseInt(process.versions.node, 10) >= NEEDED) start();
else if (inClone && existsSync(pinnedNode)) startWith(pinnedNode);
else if (inClone) {
  give(`${oldNode()}. In this clone run \`${INSTALL}\`, which brings Node ${NEEDED}.`);
} else {
  // npm 12 blocks the install script of the package unless it is listed; older ones ignore the list.
  give(`${oldNode()}. Install it, or put it beside this package:
  npm pkg set allowScripts.node=true --json && npm install node@${NEEDED}`);
}

function start() {
  if (inClone && !existsSync(`${root}node_modules`)) {
    give(`moderato: nothing is installed in this clone yet: run \`${INSTALL}\` first.`);
  } else if (!inClone && !existsSync(`${root}dist/cli.js`)) {
    give(`moderato: ${root}dist/cli.js is missing: install the package again.`);
  } else {
    if (RUN_LONG.includes(process.argv[2])) settleMemory();
    import(inClone ? '../src/cli.ts' : '../dist/cli.js').catch((error) => {
      console.error(error);
      process.exitCode = 1;
    });
  }
}

/** Starts this process anew with what is to be settled at the start, under the same id; what is set already stays. */
function settleMemory() {
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  const options = Object.entries(OPTIONS)
    .filter(([name]) => !given.includes(name))
    .map(([name, value]) => `${name}=${value}`);
  const settled = Object.keys(ENVIRONMENT).every((name) => name in process.env);
  if (settled && options.length === 0) return;
  // A channel to a parent would be lost. The call is experimental, and Windows has none that works.
  if (process.channel || process.platform === 'win32' || !process.execve) return;
  const { execPath, execArgv, argv, env } = process;
  process.execve(execPath, [execPath, ...execArgv, ...options, ...argv.slice(1)], {
    ...ENVIRONMENT,
    ...env,
  });
}

function startWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  const forward = (signal) => child.kill(signal);
  // A terminal sends Ctrl-C to the child itself; sent twice it would cut its drain short.
  const fromTerminal = process.stdin.isTTY === true;
  process.on('SIGINT', fromTerminal ? () => undefined : forward);
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, forward);
  child.on('error', (error) => give(`moderato: starting ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    // Ends the way the child did, so that a shell or supervisor sees the same.
    process.removeAllListeners(signal);
    process.exitCode = 128 + constants.signals[signal];
    process.kill(process.pid, signal);
  });
}

function oldNode() {
  return `moderato needs Node ${NEEDED} or newer; this is ${process.version} (${process.execPath})`;
}

function give(message) {
  console.error(message);
  process.exitCode = 1;
}
