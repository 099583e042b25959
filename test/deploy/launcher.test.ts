import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const PROGRAM = `
const [how] = process.argv.slice(2);
if (how === 'fail') process.exitCode = 7;
if (how === 'drain') {
  const forever = setInterval(() => undefined, 1000);
  process.on('SIGTERM', () => { clearInterval(forever); process.exitCode = 3; });
}
console.log('%s ' + process.argv.slice(2).join(' '));
if (how === 'run' || how === 'tune') {
  const { MALLOC_MMAP_THRESHOLD_: threshold } = process.env;
  console.log(JSON.stringify({ pid: process.pid, options: process.execArgv, threshold }));
}
if (how === 'die') process.kill(process.pid, 'SIGKILL');
`;

/** Makes the running Node say that it is an old one. */
const OLD =
  "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'moderato-bin-'));
  cpSync(fileURLToPath(new URL('../../bin', import.meta.url)), join(folder, 'bin'), {
    recursive: true,
  });
  write('package.json', '{ "type": "module" }');
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, content: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), content);
}

function clone({ installed }: { installed: boolean }): void {
  write('src/cli.ts', PROGRAM.replace('%s', 'sources'));
  if (!installed) return;
  mkdirSync(join(folder, 'node_modules/node/bin'), { recursive: true });
  symlinkSync(process.execPath, join(folder, 'node_modules/node/bin/node'));
}

interface StartOptions {
  old?: boolean;
  /** Of Node. */
  options?: string[];
  env?: NodeJS.ProcessEnv;
}

function start(args: string[], { old, options = [], env }: StartOptions = {}): ChildProcess {
  const preload = old ? ['--import', OLD] : [];
  const program = join(folder, 'bin/moderato.js');
  return spawn(process.execPath, [...preload, ...options, program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
}

async function outcome(child: ChildProcess) {
  const [[code, signal], out, err] = await Promise.all([
    once(child, 'close') as Promise<[number | null, string | null]>,
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
  ]);
  return { code, signal, out, err };
}

describe('bin/moderato.js', () => {
  it('runs the sources in a clone', async () => {
    clone({ installed: true });
    expect(await outcome(start(['fail', 'x y']))).toMatchObject({
      code: 7,
      out: 'sources fail x y\n',
    });
  });

  it('runs the build in the package', async () => {
    write('dist/cli.js', PROGRAM.replace('%s', 'build'));
    expect(await outcome(start(['--version']))).toMatchObject({
      code: 0,
      out: 'build --version\n',
    });
  });

  it('says what to do in a clone where nothing is installed', async () => {
    clone({ installed: false });
    const { code, err } = await outcome(start([]));
    expect(code).toBe(1);
    expect(err).toContain('node scripts/ensure-installed.js');
  });

  it('says that a package without its build is broken', async () => {
    const { code, err } = await outcome(start([]));
    expect(code).toBe(1);
    expect(err).toContain('install the package again');
  });

  describe('starting what runs for long', () => {
    const settled = async (child: ChildProcess) => {
      const { out } = await outcome(child);
      return JSON.parse(out.split('\n')[1] ?? '') as {
        pid: number;
        options: string[];
        threshold?: string;
      };
    };

    it.each(['run', 'tune'])(
      'settles the memory of `%s`, under the same process id',
      async (how) => {
        clone({ installed: true });
        const child = start([how, '-c', 'x y'], { options: ['--no-deprecation'] });
        expect(await settled(child)).toEqual({
          pid: child.pid,
          options: ['--no-deprecation', '--initial-heap-size=256', '--max-semi-space-size=4'],
          threshold: '131072',
        });
      },
    );

    it('leaves what was settled by whoever starts it', async () => {
      clone({ installed: true });
      const child = start(['run'], {
        options: ['--initial-heap-size=64'],
        env: { NODE_OPTIONS: '--max-semi-space-size=32', MALLOC_MMAP_THRESHOLD_: '65536' },
      });
      expect(await settled(child)).toEqual({
        pid: child.pid,
        options: ['--initial-heap-size=64'],
        threshold: '65536',
      });
    });

    it('starts all the same where Node cannot do that', async () => {
      clone({ installed: true });
      const preload = 'data:text/javascript,process.execve=undefined';
      const child = start(['run'], { options: ['--import', preload] });
      const { options, threshold } = await settled(child);
      expect(options).toEqual(['--import', preload]);
      expect(threshold).toBe(process.env['MALLOC_MMAP_THRESHOLD_']);
    });
  });

  describe('started by an old Node', () => {
    it('goes on with the Node that the clone brings, and keeps its exit code', async () => {
      clone({ installed: true });
      const result = await outcome(start(['fail', 'x y'], { old: true }));
      expect(result).toMatchObject({ code: 7, out: 'sources fail x y\n' });
    });

    it('hands SIGTERM on, so that a drain can end', async () => {
      clone({ installed: true });
      const child = start(['drain'], { old: true });
      const result = outcome(child);
      child.stdout?.once('data', () => child.kill('SIGTERM'));
      expect(await result).toMatchObject({ code: 3, signal: null });
    });

    it('ends by the signal that ended the program', async () => {
      clone({ installed: true });
      expect(await outcome(start(['die'], { old: true }))).toMatchObject({ signal: 'SIGKILL' });
    });

    it('says in a clone how to get the right one', async () => {
      clone({ installed: false });
      const { code, err } = await outcome(start([], { old: true }));
      expect(code).toBe(1);
      expect(err).toMatch(/needs Node 24 or newer; this is v.*ensure-installed/);
    });

    it('says in the package how to get the right one', async () => {
      write('dist/cli.js', PROGRAM.replace('%s', 'build'));
      const { code, err } = await outcome(start([], { old: true }));
      expect(code).toBe(1);
      expect(err).toContain('npm install node@24');
    });
  });
});
