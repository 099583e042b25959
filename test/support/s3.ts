/**
 * A real S3 server for tests: the one of S3_ENDPOINT, else versitygw over a folder, in a process of its own on
 * 127.0.0.1. Go installs it once into the user's cache; nothing is written inside the repository.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from '../../src/demo/kafka/wire.ts';

const VERSION = 'v1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;
const REGION = 'us-east-1';
const READY_TIMEOUT_MS = 30_000;

export interface S3Server {
  endpoint: string;
  region: string;
  /** Variables by which the AWS SDK finds the credentials. */
  env: Record<string, string>;
  /** Makes it go away, as a crash would; a server that is given cannot. */
  kill(): Promise<void>;
  /** Brings it back, with all that it held. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Throws an error that says what was tried and what would help. */
export async function startS3(): Promise<S3Server> {
  return givenServer() ?? (await startGateway(await installedGateway()));
}

function givenServer(): S3Server | null {
  const { S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = process.env;
  if (S3_ENDPOINT === undefined || S3_ENDPOINT === '') return null;
  if (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
    throw new Error('S3_ENDPOINT is set: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY too');
  }
  const cannot = () =>
    Promise.reject(new Error('the server of S3_ENDPOINT is not ours to stop: unset S3_ENDPOINT'));
  return {
    endpoint: S3_ENDPOINT,
    region: AWS_REGION ?? REGION,
    env: { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY },
    kill: cannot,
    restart: cannot,
    stop: () => Promise.resolve(),
  };
}

async function startGateway(program: string): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'moderato-s3-'));
  const [port = 0] = await freePorts(1);
  const endpoint = `http://127.0.0.1:${port}`;
  const args = ['--port', `127.0.0.1:${port}`, '--region', REGION, 'posix', folder];
  const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'testsecret' };
  let child: ChildProcess;

  const start = async (): Promise<void> => {
    child = spawn(program, args, {
      env: { ...process.env, ROOT_ACCESS_KEY: 'test', ROOT_SECRET_KEY: 'testsecret' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!(await answers(endpoint))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${program} did not start:\n${output.slice(-2_000)}`);
      }
      await sleep(25);
    }
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };

  await start();
  return {
    endpoint,
    region: REGION,
    env,
    kill,
    restart: start,
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The program, installed on first use. */
async function installedGateway(): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'moderato');
  const home = join(cache, `versitygw-${VERSION}`);
  const program = join(home, 'versitygw');
  if (existsSync(program)) return program;

  await mkdir(cache, { recursive: true });
  const bin = await mkdtemp(join(cache, 'versitygw-installing-'));
  try {
    await promisify(execFile)('go', ['install', MODULE], { env: { ...process.env, GOBIN: bin } });
    // Fails when another test process was faster, whose program is as good.
    await rename(bin, home).catch(() => undefined);
  } catch (error) {
    throw new Error(
      `a real S3 server could not be had. S3_ENDPOINT: not set. go install ${MODULE}: ${String(error)}\nInstall Go, or set S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
      { cause: error },
    );
  } finally {
    await rm(bin, { recursive: true, force: true });
  }
  return program;
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(endpoint)).status === 403; // nobody may list the buckets without a signature
  } catch {
    return false;
  }
}
