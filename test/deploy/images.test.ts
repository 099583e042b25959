import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(root + path, 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  bin: { moderato: string };
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const DOCKERFILES = ['deploy/docker/Dockerfile', 'deploy/docker/Dockerfile.gpu'];

/** A Dockerfile's instructions, continued lines joined, comments left out. */
function instructions(path: string): string[] {
  return read(path)
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line !== '');
}

/** What an instruction copies from the repository. */
function sources(path: string): string[] {
  return instructions(path)
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
}

describe.each(DOCKERFILES)('%s', (path) => {
  it('copies only what exists and what .dockerignore lets through', () => {
    const letThrough = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    for (const source of sources(path)) {
      expect([source, existsSync(root + source)]).toEqual([source, true]);
      const allowed = letThrough.some((name) => source === name || source.startsWith(`${name}/`));
      expect([source, allowed]).toEqual([source, true]);
    }
  });

  it('pins every image it starts from', () => {
    const args = new Map(
      [...read(path).matchAll(/^ARG (\w+)=(.+)$/gm)].map(([, name, value]) => [name, value]),
    );
    const bases = [...read(path).matchAll(/^FROM \$\{(\w+)\}/gm)].map(([, name]) => args.get(name));
    expect(bases.length).toBeGreaterThan(0);
    for (const base of bases) expect(base).toMatch(/^[a-z]+:\d+\.\d+\.\d+/);
  });
});

describe('the CPU image', () => {
  const lines = instructions('deploy/docker/Dockerfile');

  it('runs on the Node that the project is tested on', () => {
    expect(read('deploy/docker/Dockerfile')).toContain(
      `ARG NODE_IMAGE=node:${manifest.devDependencies['node'] ?? ''}-bookworm-slim`,
    );
  });

  it('runs as a user of no rights, by number, so that Kubernetes can tell', () => {
    expect(lines.filter((line) => line.startsWith('USER '))).toEqual(['USER 10001:10001']);
  });

  it('starts the package’s own command, not a shell that would keep signals from it', () => {
    expect(lines).toContain('CMD ["run", "-c", "/etc/moderato/moderato.yaml"]');
    const entry = lines.find((line) => line.startsWith('ENTRYPOINT ')) ?? '';
    expect(JSON.parse(entry.slice('ENTRYPOINT '.length))).toEqual([
      'node',
      '--disable-warning=TimeoutNegativeWarning',
      `/app/${manifest.bin.moderato}`,
    ]);
  });

  it('has a health check whose program exits by what /livez says', () => {
    const check = lines.find((line) => line.startsWith('HEALTHCHECK ')) ?? '';
    const [, , program] = JSON.parse(check.slice(check.indexOf('['))) as string[];
    const run = (stub: string): number => {
      try {
        execFileSync(process.execPath, ['-e', `globalThis.fetch = ${stub};${program ?? ''}`]);
        return 0;
      } catch (error) {
        return (error as { status: number }).status;
      }
    };
    const asked = "url === 'http://127.0.0.1:9464/livez'";
    expect(run(`async (url) => ({ ok: ${asked} })`)).toBe(0);
    expect(run('async () => ({ ok: false })')).toBe(1);
    expect(run('async () => { throw new Error() }')).toBe(1);
  });
});

describe('the GPU image', () => {
  const requirements = read('deploy/docker/cuda-requirements.txt');

  it('takes the CUDA provider of the very version of onnxruntime-node', () => {
    const version = /^onnxruntime-gpu==(\S+)/m.exec(requirements)?.[1];
    expect(version).toBe(manifest.dependencies['onnxruntime-node']);
  });

  it('pins everything it downloads by hash', () => {
    const pinned = requirements.match(/^[a-z0-9-]+==\S+ \\\n +--hash=sha256:[0-9a-f]{64}$/gm);
    expect(pinned).toHaveLength(requirements.match(/^[a-z]/gm)?.length ?? 0);
  });
});

describe('prune.sh', () => {
  it('keeps the binaries of this platform and removes those of the others', () => {
    const modules = mkdtempSync(join(tmpdir(), 'moderato-prune-'));
    const here = `${process.platform}/${process.arch}`;
    for (const platform of [here, 'linux/riscv64', 'darwin/arm64', 'win32/x64']) {
      const folder = join(modules, 'onnxruntime-node/bin/napi-v6', platform);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'onnxruntime_binding.node'), '');
    }
    execFileSync(`${root}deploy/docker/prune.sh`, [modules]);
    expect(globSync('onnxruntime-node/bin/napi-v6/**/*.node', { cwd: modules })).toEqual([
      `onnxruntime-node/bin/napi-v6/${here}/onnxruntime_binding.node`,
    ]);
    rmSync(modules, { recursive: true });
  });
});
