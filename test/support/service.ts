import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { packageFile } from '../../src/package-files.ts';
import { testBrokers } from './kafka.ts';

export interface Service {
  readonly pid: number;
  /** Everything it has written to stdout and stderr. */
  output: () => string;
  /** Where its probes and metrics are. */
  url: () => Promise<string>;
  /** Sends a signal and resolves with the exit code, or the signal's name. */
  end: (signal: NodeJS.Signals) => Promise<number | string>;
  /** Resolves with the exit code, or the signal's name, once it has ended. */
  readonly ended: Promise<number | string>;
}

export interface ServiceOptions {
  topics: { input: string; verdicts: string; deadLetters: string };
  groupId: string;
  /** Laid over the configuration. */
  config?: Record<string, unknown>;
  /** Laid over its section `kafka`. */
  kafka?: Record<string, unknown>;
  env?: Record<string, string>;
}

/** `moderato run` in a process of its own, as an operator would start it. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), 'moderato-service-'));
  const file = join(folder, 'moderato.yaml');
  const config = {
    kafka: {
      brokers: testBrokers(),
      groupId: options.groupId,
      sessionTimeoutMs: 6_000,
      heartbeatIntervalMs: 1_000,
      commitIntervalMs: 200,
      ...options.kafka,
    },
    topics: options.topics,
    policies: packageFile('policies/demo.yaml'),
    images: { decoders: 1 },
    observability: { http: { host: '127.0.0.1', port: 0 } },
    ...options.config,
  };
  await writeFile(file, stringify(config));
  const child = spawn(process.execPath, [packageFile('bin/moderato.js'), 'run', '-c', file], {
    env: { ...process.env, ...options.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const ended = endOf(child).finally(() => rm(folder, { recursive: true }));
  return {
    pid: child.pid ?? 0,
    output: () => output,
    url: async () => {
      const port = await matchIn(() => output, /"httpPort":(\d+)/, ended);
      return `http://127.0.0.1:${port}`;
    },
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
    ended,
  };
}

async function endOf(child: ChildProcess): Promise<number | string> {
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return code ?? signal ?? 'unknown';
}

async function matchIn(
  text: () => string,
  pattern: RegExp,
  ended: Promise<unknown>,
): Promise<string> {
  const early = ended.then(() => {
    throw new Error(`the service ended early:\n${text()}`);
  });
  early.catch(() => undefined);
  for (;;) {
    const found = pattern.exec(text())?.[1];
    if (found !== undefined) return found;
    await Promise.race([early, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
}

/** Asks `condition` again and again until it holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 60_000, explain = (): string => '' } = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline)
      throw new Error(`nothing happened for ${timeoutMs} ms. ${explain()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
