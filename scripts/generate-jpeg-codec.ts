/**
 * Writes src/images/jpeg-wasm.generated.ts: libjpeg-turbo's decoder with the files of src/images/jpeg, compiled to
 * WebAssembly. Run when one of them changes, with the unpacked source of the release named below and Zig as compiler:
 *
 *     pip install ziglang==0.17.1
 *     node scripts/generate-jpeg-codec.ts <folder of libjpeg-turbo>
 *
 * `--check` compiles nothing, and fails when a file of src/images/jpeg is not what the codec was made of.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LIBRARY = '3.2.0';
const SOURCE = 'src/images/jpeg';
const TARGET = 'src/images/jpeg-wasm.generated.ts';
/** 128 MiB: what needs more is decoded natively. */
const MOST_MEMORY = 128 * 2 ** 20;

/** Of libjpeg-turbo's src: the decoder without arithmetic coding, lossless modes, palettes and other depths. */
const PARTS = [
  ...['jcomapi', 'jdapimin', 'jdapistd', 'jdatasrc', 'jdcoefct', 'jdcolor', 'jddctmgr', 'jdhuff'],
  ...['jdinput', 'jdmainct', 'jdmarker', 'jdmaster', 'jdphuff', 'jdpostct', 'jdsample'],
  ...['jidctint', 'jidctred', 'jmemmgr', 'jmemnobs', 'jutils'],
];
/** These read bits through a register, of 64 bits where they take the machine for one that has those. */
const WIDE = ['jdhuff', 'jdphuff'];

const fingerprint = (): string => {
  const hash = createHash('sha256').update(LIBRARY);
  for (const name of readdirSync(SOURCE).sort()) hash.update(readFileSync(join(SOURCE, name)));
  return hash.digest('hex');
};

function compile(library: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'jpeg-codec-'));
  const zig = (parameters: string[]): void => {
    execFileSync('python3', ['-m', 'ziglang', 'cc', '-target', 'wasm32-wasi', ...parameters], {
      stdio: 'inherit',
    });
  };
  const features = '-mcpu=generic+simd128+bulk_memory+sign_ext';
  const options = ['-O3', '-DNDEBUG', '-DNO_GETENV', '-w', '-fno-strict-aliasing', features];
  const includes = [SOURCE, join(library, 'src'), join(library, 'simd')].map((at) => `-I${at}`);
  const files = [
    ...PARTS.map((name) => ({ name, file: join(library, 'src', `${name}.c`) })),
    ...['codec', 'simd', 'absent'].map((name) => ({ name, file: join(SOURCE, `${name}.c`) })),
  ];
  const objects = files.map(({ name, file }) => {
    const object = join(folder, `${name}.o`);
    const wide = WIDE.includes(name) ? ['-D__x86_64__', '-D__ILP32__'] : [];
    zig([...options, ...includes, ...wide, '-c', file, '-o', object]);
    return object;
  });
  const wasm = join(folder, 'codec.wasm');
  const linked = ['--no-entry', '--strip-all', '--gc-sections', `--max-memory=${MOST_MEMORY}`];
  zig([...objects, '-mexec-model=reactor', ...linked.map((x) => `-Wl,${x}`), '-o', wasm]);
  const bytes = readFileSync(wasm);
  rmSync(folder, { recursive: true });
  return bytes;
}

if (process.argv.includes('--check')) {
  if (!readFileSync(TARGET, 'utf8').includes(fingerprint())) {
    console.error(`${TARGET} is out of date: see scripts/generate-jpeg-codec.ts`);
    process.exitCode = 1;
  }
} else {
  const base64 = compile(process.argv[2] ?? 'libjpeg-turbo').toString('base64');
  const text = `// libjpeg-turbo ${LIBRARY} and src/images/jpeg, compiled by scripts/generate-jpeg-codec.ts. Do not edit.
// This software is based in part on the work of the Independent JPEG Group.
// Made of: ${fingerprint()}

export const JPEG_WASM =
  '${base64}';
`;
  writeFileSync(TARGET, text);
}
