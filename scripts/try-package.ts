/**
 * Tries the published package the way a user gets it: builds, packs, installs the tarball into an empty folder
 * with Node 24 beside it, runs `npx moderato` there, and type-checks a consumer of `moderato/events`.
 * Usage: node scripts/try-package.ts [--keep]   (needs the npm registry)
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'moderato-package-'));

const NEEDED = [
  'bin/moderato.js',
  'dist/cli.js',
  'dist/index.d.ts',
  'dist/tune/trial-child.js',
  'dist/events/index.d.ts',
  'schemas/verdict.v1.avsc',
  'policies/demo.yaml',
  'models/starter/moderato.json',
  'models/starter/onnx/vision_model.onnx',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
];
const UNWANTED = /^(src|test|bench|scripts|deploy|node_modules|\.ci)\/|\.(tsbuildinfo|py)$/;

const CONSUMER = `
import type { ImageEvent, Verdict } from 'moderato/events';
export function blocked(verdict: Verdict): boolean { return verdict.outcome === 'block'; }
export function idOf(event: ImageEvent): string { return event.eventId; }
// @ts-expect-error: an outcome that is not in the schema, which \`any\` would let through
export const wrong: Verdict['outcome'] = 'maybe';
`;

function run(command: string, args: string[], cwd = folder): string {
  console.error(`$ ${command} ${args.join(' ')}`);
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    // The CUDA provider is not part of this try, and its download is not from the npm registry.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
}

function expect(condition: boolean, promise: string): void {
  if (!condition) throw new Error(`the package does not keep this promise: ${promise}`);
  console.log(`ok  ${promise}`);
}

console.error(`Working in ${folder}, which stays when a promise is broken.`);
run(process.execPath, [join(root, 'scripts/build.ts')], root);
const [packed] = JSON.parse(
  run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder], root),
) as [{ filename: string; size: number; unpackedSize: number; files: Array<{ path: string }> }];
const paths = packed.files.map((file) => file.path);
const missing = NEEDED.filter((path) => !paths.includes(path));
const unwanted = paths.filter((path) => UNWANTED.test(path));
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
console.log(`${packed.filename}: ${mb(packed.size)}, ${mb(packed.unpackedSize)} unpacked`);
expect(missing.length === 0, `it holds what it needs${missing.map((path) => ` ${path}`).join()}`);
expect(unwanted.length === 0, `and nothing else${unwanted.map((path) => ` ${path}`).join()}`);

// The one script that npm 12 has to be allowed is that of Node itself; Moderato needs none.
writeFileSync(
  join(folder, 'package.json'),
  '{ "private": true, "type": "module", "allowScripts": { "node": true } }\n',
);
run('npm', [
  'install',
  '--loglevel=error',
  '--no-fund',
  '--no-audit',
  join(folder, packed.filename),
  `node@${manifest.devDependencies.node}`,
]);

expect(
  run('npx', ['--no-install', 'moderato', '--version']).trim() === manifest.version,
  `\`npx moderato --version\` says ${manifest.version}`,
);

cpSync(join(root, 'samples/bear.jpg'), join(folder, 'bear.jpg'));
const score = run('npx', [
  '--no-install',
  'moderato',
  'score',
  'bear.jpg',
  '--policies',
  'node_modules/moderato/policies/demo.yaml',
  '--json',
]);
const verdict = JSON.parse(score) as { outcome?: string; policies?: unknown[] };
expect(
  ['allow', 'review', 'block'].includes(verdict.outcome ?? '') && Array.isArray(verdict.policies),
  `\`npx moderato score\` prints a verdict (${verdict.outcome ?? 'none'})`,
);

writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
run(process.execPath, [
  join(root, 'node_modules/typescript/bin/tsc'),
  ...['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024'],
  ...['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node'],
  'consumer.ts',
]);
expect(true, 'a TypeScript consumer of moderato/events compiles, and is refused a wrong outcome');

if (process.argv.includes('--keep')) console.log(`left in ${folder}`);
else rmSync(folder, { recursive: true });
