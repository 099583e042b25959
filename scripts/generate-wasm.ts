/**
 * Writes each *-wasm.generated.ts from its WebAssembly text, so that neither a clone nor the package needs an
 * assembler. `--check` writes nothing and fails when a file is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import loadWabt from 'wabt';

const MODULES = ['src/images/resample', 'src/policies/similarity'];

const wabt = await loadWabt();
for (const path of MODULES) {
  const [source, target] = [`${path}.wat`, `${path}-wasm.generated.ts`];
  const assembled = wabt.parseWat(source, readFileSync(source, 'utf8'), { simd: true });
  assembled.validate();
  const base64 = Buffer.from(assembled.toBinary({}).buffer).toString('base64');
  const text = `// Assembled from ${basename(source)} by \`node scripts/generate-wasm.ts\`. Do not edit.

export const ${basename(path).toUpperCase()}_WASM =
  '${base64}';
`;
  if (!process.argv.includes('--check')) {
    writeFileSync(target, text);
  } else if (readFileSync(target, 'utf8') !== text) {
    console.error(`${target} is out of date: run node scripts/generate-wasm.ts`);
    process.exitCode = 1;
  }
}
