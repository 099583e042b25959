/**
 * A `docker` for the PATH of a test: `info` says that it runs, `run` starts a process that answers as a broker
 * on the published port, `rm -f` ends it. Docker itself is not needed.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Answers Metadata v4 with one broker, id 1, host "x". */
const BROKER = `
  const answer = (id) => {
    const body = Buffer.alloc(4 + 4 + 4 + 4 + 2 + 1 + 4 + 2);
    body.writeInt32BE(id, 0); body.writeInt32BE(1, 8); body.writeInt32BE(1, 12);
    body.writeInt16BE(1, 16); body.write('x', 18); body.writeInt16BE(-1, 23);
    const size = Buffer.alloc(4); size.writeInt32BE(body.length);
    return Buffer.concat([size, body]);
  };
  require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (request) => socket.write(answer(request.readInt32BE(8))));
  }).listen(Number(process.argv[1]), '127.0.0.1');
`;

const script = (log: string, broken: boolean) => `#!${process.execPath}
const fs = require('node:fs');
const { spawn } = require('node:child_process');
const [command, ...args] = process.argv.slice(2);
fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify([command, ...args]) + '\\n');
const pidFile = ${JSON.stringify(log)} + '.pid';
if (command === 'run') {
  if (${String(broken)}) { console.error('no space left on device'); process.exit(125); }
  const port = args[args.indexOf('-p') + 1].split(':')[1];
  const child = spawn(process.execPath, ['-e', ${JSON.stringify(BROKER)}, port], { detached: true, stdio: 'ignore' });
  fs.writeFileSync(pidFile, String(child.pid));
  child.unref();
}
if (command === 'rm' && fs.existsSync(pidFile)) {
  process.kill(Number(fs.readFileSync(pidFile, 'utf8')), 'SIGKILL');
  fs.rmSync(pidFile);
}
`;

export interface FakeDocker {
  /** An environment whose PATH holds nothing else. */
  env: NodeJS.ProcessEnv;
  /** The command lines so far. */
  calls(): Promise<string[][]>;
  remove(): Promise<void>;
}

export async function fakeDocker({ broken = false } = {}): Promise<FakeDocker> {
  const folder = await mkdtemp(join(tmpdir(), 'moderato-docker-'));
  const log = join(folder, 'calls.log');
  await writeFile(join(folder, 'docker'), script(log, broken));
  await chmod(join(folder, 'docker'), 0o755);
  return {
    env: { PATH: folder, XDG_CACHE_HOME: join(folder, 'cache') },
    calls: async () =>
      (await readFile(log, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as string[]),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
