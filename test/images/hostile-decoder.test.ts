import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { afterEach, describe, expect, it, jest } from '@jest/globals';

import { confinedBy, inheritableDescriptors } from '../../src/images/confinement.ts';
import { createDecoderPool, type DecoderPool } from '../../src/images/decoder-pool.ts';
import { packageFile } from '../../src/package-files.ts';
import { clipSpec } from '../support/tiny-clip.ts';

jest.setTimeout(30_000);

const script = pathToFileURL(packageFile('test/support/hostile-decoder.ts'));
const limits = { memoryBytes: 2 ** 30, maxPixels: 1e7, maxEdge: 65_535, maxFrames: 100 };
const options = { ...limits, preprocess: clipSpec, processes: 1, timeoutMs: 10_000 };
const pools: DecoderPool[] = [];

function start(): DecoderPool {
  const pool = createDecoderPool({ ...options, script });
  pools.push(pool);
  return pool;
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

const ask = (pool: DecoderPool, text: string) => pool.decode(Buffer.from(text));
/** What the process tells of an attempt, or that it succeeded. */
const attempt = async (text: string): Promise<string> => {
  const answer = await ask(start(), text).catch((error: unknown) => error as Error);
  return answer instanceof Error ? answer.message : 'an image';
};

describe('a decoder process that an image has taken over', () => {
  it.each(['a NaN dimension', 'another job', 'a fatal code', 'noise', 'an HTTP request'])(
    'costs its image and itself when it replies with %s',
    async (text) => {
      const pool = start();
      const [image, next] = [ask(pool, text), ask(pool, 'honest')];
      await expect(image).rejects.toMatchObject({
        code: 'image_decode_crashed',
        message: expect.stringMatching(/SIGKILL: a malformed (reply|message): ./),
      });
      await expect(next).resolves.toMatchObject({ width: 4, format: 'png' });
      expect(pool.restarts).toEqual({ crash: 2, timeout: 0, memory: 0, recycled: 0 });
    },
  );

  it('costs itself alone when it replies a second time', async () => {
    const pool = start();
    await expect(ask(pool, 'twice')).resolves.toMatchObject({ width: 4 });
    await expect(ask(pool, 'honest')).resolves.toMatchObject({ width: 4 });
    for (let i = 0; i < 100 && pool.restarts.crash === 0; i++) await sleep(20);
    expect(pool.restarts.crash).toBe(1);
  });

  it("reads neither files nor the service's environment, and writes nothing", async () => {
    expect(await attempt('read=/etc/passwd')).toBe('refused: ERR_ACCESS_DENIED');
    expect(await attempt(`read=/proc/${process.pid}/environ`)).toBe('refused: ERR_ACCESS_DENIED');
    expect(await attempt(`write=${join(tmpdir(), 'decoder')}`)).toBe('refused: ERR_ACCESS_DENIED');
  });
});

const onLinux = process.platform === 'linux';
/** Whether this machine has the tool and permits it. A test below says so when one that should be there is not. */
const has = (tool: string) => confinedBy().includes(tool);

describe('on Linux a decoder process', () => {
  it('is confined by the tools that run here', () => {
    const works = (tool: string, ...args: string[]) =>
      onLinux && spawnSync(tool, [...args, 'true'], { stdio: 'ignore' }).status === 0;
    expect(has('unshare')).toBe(works('unshare', '--user', '--map-current-user', '--net', '--ipc'));
    expect(has('prlimit')).toBe(works('prlimit', '--core=0'));
    expect(has('setpriv')).toBe(works('setpriv', '--no-new-privs', '--pdeathsig=KILL'));
  });

  it('has no network where it can be taken away', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const outcome = await attempt(`connect=${port}`);
    server.close();
    // Without interfaces; else, it is connected, which shows that the attempt is a real one.
    expect(outcome).toMatch(has('unshare') ? /^refused: E/ : /^done/);
  });

  it('has no rights, no core dumps and few files', async () => {
    if (!onLinux) return;
    const pool = start();
    await pool.ready();
    const [pid = 0] = pool.pids;
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const bounds = readFileSync(`/proc/${pid}/limits`, 'latin1');
    expect(/NoNewPrivs:\s+1/.test(status)).toBe(has('setpriv'));
    if (has('setpriv')) expect(status).toMatch(/CapEff:\s+0+\n/);
    expect(/Max core file size\s+0\s+0/.test(bounds)).toBe(has('prlimit'));
    expect(/Max open files\s+128\s+128/.test(bounds)).toBe(has('prlimit'));
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1').trim()).toBe('1000');
  });

  it('inherits nothing that its parent has open, were it not closed on exec', async () => {
    if (!onLinux) return;
    const folder = mkdtempSync(join(tmpdir(), 'moderato-leak-'));
    const file = join(folder, 'secret');
    const fd = openSync(file, 'w+');
    const program = `
      import { createDecoderPool } from ${JSON.stringify(pathToFileURL(packageFile('src/images/decoder-pool.ts')).href)};
      const pool = createDecoderPool(${JSON.stringify(options)});
      await pool.ready();
      console.log(pool.pids[0]);
      process.stdin.once('end', () => pool.close()).resume();`;
    const stdio: Array<'pipe' | 'inherit' | 'ignore' | number> = ['pipe', 'pipe', 'inherit'];
    while (stdio.length < 60) stdio.push('ignore');
    stdio[60] = fd;
    const args = ['--input-type=module-typescript', '--eval', program];
    const parent = spawn(process.execPath, args, { stdio });
    const [pid] = (await once(parent.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const opened = (of: number | undefined) =>
      readdirSync(`/proc/${String(of)}/fd`).map((name) =>
        readlinkSync(`/proc/${String(of)}/fd/${name}`),
      );
    expect(opened(parent.pid)).toContain(file);
    expect(opened(Number(pid.toString()))).not.toContain(file);
    parent.stdin?.end();
    await once(parent, 'exit');
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  it('ends with its parent, even while it spins', async () => {
    if (!has('setpriv')) return;
    const spinning = pathToFileURL(packageFile('test/support/crashing-decoder.ts')).href;
    const program = `
      import { createDecoderPool } from ${JSON.stringify(pathToFileURL(packageFile('src/images/decoder-pool.ts')).href)};
      const pool = createDecoderPool({ ...${JSON.stringify(options)}, script: new URL(${JSON.stringify(spinning)}) });
      await pool.ready();
      void pool.decode(Buffer.from('spin'));
      setTimeout(() => console.log(pool.pids[0]), 300);`;
    const args = ['--input-type=module-typescript', '--eval', program];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const alive = (): boolean => {
      try {
        return !/^State:\s+Z/m.test(
          readFileSync(`/proc/${pid.toString().trim()}/status`, 'latin1'),
        );
      } catch {
        return false;
      }
    };
    for (let i = 0; i < 100 && alive(); i++) await sleep(20);
    expect(alive()).toBe(false);
  });

  it('knows which descriptors are inherited', () => {
    const fd = openSync('/dev/null', 'r');
    expect(inheritableDescriptors()).not.toContain(fd);
    closeSync(fd);
  });
});
