import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModelFolder } from '../src/model/model-folder.ts';
import { packageFile } from '../src/package-files.ts';
import { loadBundle } from '../src/policies/load-bundle.ts';
import type { Backlog, Stage } from './stage.ts';
import { runStream } from './stream-trial.ts';
import type { Measurement } from './trial.ts';

const PEER = fileURLToPath(new URL('./peers/node/', import.meta.url));
const MODELS = packageFile('models');
const SAY_EVERY_MS = 10_000;

/** The peer has a lock file of its own, so that its packages never touch the product's. */
export async function installNodePeer(say: (line: string) => void): Promise<void> {
  if (isInstalled()) return;
  const startedAt = performance.now();
  const seconds = (): string => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
  say('installing transformers.js for the naive consumer (npm ci in bench/peers/node, once) …');
  const ticker = setInterval(() => say(`still installing … ${seconds()}`), SAY_EVERY_MS);
  const npm = spawn('npm', ['ci', '--loglevel=error', '--no-fund', '--no-audit'], {
    cwd: PEER,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  try {
    const [code] = (await once(npm, 'close')) as [number | null];
    if (code !== 0) {
      const last = output.trim().split('\n').slice(-3).join('; ');
      throw new Error(`npm ci in bench/peers/node failed with exit code ${String(code)}: ${last}`);
    }
  } finally {
    clearInterval(ticker);
  }
  say(`installed in ${seconds()}`);
}

function isInstalled(): boolean {
  const marker = join(PEER, 'node_modules/.package-lock.json');
  if (!existsSync(marker)) return false;
  const there = packagesOf(marker);
  return Object.entries(packagesOf(join(PEER, 'package-lock.json'))).every(
    ([path, { version, optional }]) =>
      path === '' || optional === true || there[path]?.version === version,
  );
}

function packagesOf(file: string): Record<string, { version?: string; optional?: boolean }> {
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as {
    packages: Record<string, { version?: string; optional?: boolean }>;
  };
  return packages;
}

/** The peer on the same topic, with the same model files and policies. */
export async function runNaive(
  stage: Stage,
  backlog: Backlog,
  warmUp: number,
): Promise<Measurement> {
  const { policies } = await loadBundle(packageFile('policies/demo.yaml'));
  const { scoring } = await readModelFolder(join(MODELS, 'starter'));
  return await runStream({
    stage,
    backlog,
    role: 'naive',
    warmUp,
    command: (output) => {
      const settings = {
        brokers: stage.brokers,
        groupId: `naive-${randomUUID()}`,
        input: backlog.topic,
        output,
        models: MODELS,
        model: 'starter',
        logitScale: scoring.logitScale,
        neutral: scoring.neutralPrompts ?? [],
        policies,
      };
      const args = [join(PEER, 'consumer.js'), JSON.stringify(settings)];
      return Promise.resolve({ args });
    },
  });
}
