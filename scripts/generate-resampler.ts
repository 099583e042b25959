/**
 * Writes src/images/resample-wasm.generated.ts from src/images/resample.wat, so that neither a clone nor the
 * package needs an assembler. `--check` writes nothing and fails when the file is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import loadWabt from 'wabt';

const SOURCE = 'src/images/resample.wat';
const TARGET = 'src/images/resample-wasm.generated.ts';

const wabt = await loadWabt();
const assembled = wabt.parseWat(SOURCE, readFileSync(SOURCE, 'utf8'), { simd: true });
assembled.validate();
const base64 = Buffer.from(assembled.toBinary({}).buffer).toString('base64');
const text = `// Assembled from resample.wat by \`node scripts/generate-resampler.ts\`. Do not edit.

export const RESAMPLE_WASM =
  '${base64}';
`;

if (!process.argv.includes('--check')) {
  writeFileSync(TARGET, text);
} else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error(`${TARGET} is out of date: run node scripts/generate-resampler.ts`);
  process.exitCode = 1;
}
