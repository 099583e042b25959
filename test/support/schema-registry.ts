/**
 * A real Confluent-compatible schema registry on 127.0.0.1: Apicurio, in memory, in a Java process of its
 * own. Maven fetches it once into the user's cache; nothing is written inside the repository.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const VERSION = '2.6.13.Final';
const MAVEN_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';

export interface RunningRegistry {
  /** The base of the Confluent-compatible API. */
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** Starts a registry whose global compatibility level is BACKWARD, as Confluent's is. */
export async function startSchemaRegistry(): Promise<RunningRegistry> {
  const home = await unpackedRegistry();
  const jar = readdirSync(home).find((name) => /^apicurio-registry-app-.*-runner\.jar$/.test(name));
  if (jar === undefined) throw new Error(`no Apicurio runner jar in ${home}: delete that folder`);

  const port = await freePort();
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const folder = await mkdtemp(join(tmpdir(), 'moderato-registry-'));
  const log = join(folder, 'registry.log');
  const out = openSync(log, 'w');
  const args = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const properties = ['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`];
  const child = spawn('java', [...args, ...properties, '-jar', join(home, jar)], {
    stdio: ['ignore', out, out],
  });
  closeSync(out);
  const exited = once(child, 'exit');
  exited.catch(() => undefined);

  const stop = async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const backstop = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(backstop);
    }
    await rm(folder, { recursive: true, force: true });
  };

  const deadline = Date.now() + 60_000;
  while (!(await answers(`${url}/subjects`))) {
    if (child.pid === undefined) {
      await stop();
      throw new Error('starting the schema registry: no `java` on the PATH; install Java 17');
    }
    if (child.exitCode !== null || Date.now() > deadline) {
      const tail = readFileSync(log, 'utf8').slice(-2_000);
      await stop();
      throw new Error(`the schema registry did not start:\n${tail}`);
    }
    await sleep(50);
  }
  await fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ compatibility: 'BACKWARD' }),
  });
  return { url, pid: child.pid ?? 0, stop };
}

/** The folder of the unpacked registry, fetched and unpacked on first use. */
async function unpackedRegistry(): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'moderato');
  const home = join(cache, `apicurio-${VERSION}`);
  await mkdir(cache, { recursive: true });
  if (readdirSync(cache).includes(`apicurio-${VERSION}`)) return home;

  const work = await mkdtemp(join(cache, 'apicurio-unpacking-'));
  try {
    const artifact = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;
    command('mvn', [
      '-B',
      '-q',
      MAVEN_PLUGIN,
      `-Dartifact=${artifact}`,
      `-DoutputDirectory=${work}`,
    ]);
    const archive = join(work, `apicurio-registry-app-${VERSION}-all.tar.gz`);
    const unpacked = join(work, 'unpacked');
    await mkdir(unpacked);
    command('tar', ['-xzf', archive, '-C', unpacked]);
    await rename(unpacked, home).catch((error: unknown) => {
      // Another test process was faster: its folder is as good as ours.
      if (!readdirSync(cache).includes(`apicurio-${VERSION}`)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return home;
}

function command(name: string, args: string[]): void {
  const { error, status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  if (error) {
    throw new Error(
      `fetching the schema registry needs \`${name}\` on the PATH (Maven, tar and Java 17)`,
      { cause: error },
    );
  }
  if (status !== 0) {
    throw new Error(`fetching the schema registry: ${name} failed:\n${stdout}${stderr}`);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
