/** A real Redis or Valkey server on 127.0.0.1, for integration tests. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../src/demo/kafka/wire.ts';
import { messageOf } from '../../src/errors.ts';

const exec = promisify(execFile);

export interface RedisServer {
  /** Without credentials. */
  url: string;
  port: number;
  /** It goes on accepting connections and answers none, until `resume`. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** @default any free port */
  port?: number;
  /** More of its command line. */
  args?: readonly string[];
  /** PEM files; only TLS is then spoken. */
  tls?: { ca: string; certAndKey: string };
}

/** The server of REDIS_URL, else one started for the caller. */
export async function anyRedis(): Promise<Pick<RedisServer, 'url' | 'stop'>> {
  const url = process.env['REDIS_URL'];
  if (url === undefined || url === '') return startRedis();
  return { url, stop: () => Promise.resolve() };
}

/** A server of the caller's own, which keeps nothing on disk. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { file, env } = await (executable ??= findExecutable());
  const port = options.port ?? (await freePorts(1))[0] ?? 0;
  const folder = await mkdtemp(join(tmpdir(), 'moderato-redis-'));
  const args = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = spawn(file, [...args, ...portArgs(port, options.tls), ...(options.args ?? [])], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await accepting(server);
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  return {
    url: `${options.tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    port,
    pause: () => server.kill('SIGSTOP'),
    resume: () => server.kill('SIGCONT'),
    stop: async () => {
      server.kill('SIGKILL'); // it has nothing to save, and a paused one heeds nothing else
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

function portArgs(port: number, tls: RedisServerOptions['tls']): string[] {
  if (!tls) return ['--port', String(port)];
  return [
    ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
    ...['--tls-ca-cert-file', tls.ca],
    ...['--tls-cert-file', tls.certAndKey, '--tls-key-file', tls.certAndKey],
  ];
}

function accepting(server: ChildProcess): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    server.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
      if (said.includes('Ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`starting ${server.spawnfile}: ${said}`)));
  });
}

interface Executable {
  file: string;
  env: NodeJS.ProcessEnv;
}

let executable: Promise<Executable> | undefined;

/** One on the PATH, else Debian's packages, unpacked into the user's cache without being installed. */
async function findExecutable(): Promise<Executable> {
  for (const file of ['redis-server', 'valkey-server']) {
    const found = await exec(file, ['--version']).then(
      () => true,
      () => false,
    );
    if (found) return { file, env: process.env };
  }
  const root = join(
    process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'moderato',
    'redis',
  );
  const file = join(root, 'usr', 'bin', 'redis-server');
  try {
    await access(file).catch(() => unpackPackages(root));
    return { file, env: { ...process.env, LD_LIBRARY_PATH: await librariesIn(root) } };
  } catch (error) {
    throw new Error(
      `looking for a Redis server: none on the PATH, and Debian's cannot be fetched (${messageOf(error)}); install redis-server or valkey-server, run apt-get update, or name a server in REDIS_URL`,
      { cause: error },
    );
  }
}

/** The folder appears under its final name only when complete, so that an interrupted fetch is not mistaken for it. */
async function unpackPackages(root: string): Promise<void> {
  await mkdir(join(root, '..'), { recursive: true });
  const temp = await mkdtemp(`${root}.fetching-`);
  try {
    const plan = await exec('apt-get', [
      ...['--simulate', '--no-install-recommends', 'install', 'redis-server'],
    ]);
    // What redis-server needs and this machine lacks.
    const names = [...plan.stdout.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
    await exec('apt-get', ['download', ...names], { cwd: temp });
    const packages = await readdir(temp);
    const unpacked = join(temp, 'root');
    for (const each of packages) await exec('dpkg', ['-x', join(temp, each), unpacked]);
    // Fails when another process was first, whose packages are as good.
    await rename(unpacked, root).catch(() => undefined);
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

/** `usr/lib` has one folder for each architecture, such as x86_64-linux-gnu. */
async function librariesIn(root: string): Promise<string> {
  const lib = join(root, 'usr', 'lib');
  return (await readdir(lib)).map((folder) => join(lib, folder)).join(':');
}
