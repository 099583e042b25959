/** Bare onnxruntime against Moderato's encoder, on one device: bench/gpu/README.md. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../src/errors.ts';
import { createGoldenCache } from '../../src/model/golden.ts';
import { machine } from '../machine.ts';
import { SHAPES, writeVitModel } from '../vit-model.ts';
import { bare, copyOnly, encoder, type Contender } from './contenders.ts';
import { measure } from './measure.ts';
import { parseOptions } from './options.ts';
import { notesOn, render, rowOf, type GpuResults, type Row } from './report.ts';

const WORKERS = [1, 2];

// onnxruntime reports its use unless told not to.
process.env['ORT_DISABLE_TELEMETRY'] = '1';
const options = parseOptions(process.argv);
const maxBatch = Math.max(...options.batches);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const folder = await mkdtemp(join(tmpdir(), 'moderato-bench-gpu-'));
try {
  const results: GpuResults = {
    machine: machine(),
    options,
    command: `npm run bench:gpu -- ${process.argv.slice(2).join(' ')}`,
    notes: notesOn(options),
    rows: await measureAll(),
  };
  console.log(options.json ? JSON.stringify(results, null, 2) : render(results));
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  say(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}

async function measureAll(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of options.shapes) {
    for (const precision of options.precision) {
      const shape = SHAPES[name];
      const model = join(folder, `${name}-${precision}`);
      say(`writing ${name} in ${precision} …`);
      await writeVitModel(model, { shape, precision });
      await using held = new AsyncDisposableStack();
      const contenders: Contender[] = [];
      const enter = async (contender: Promise<Contender>): Promise<void> => {
        contenders.push(held.adopt(await contender, (it) => it.close()));
      };
      const goldenCache = createGoldenCache(folder);
      say(`loading it for ${options.provider} …`);
      // First, since it says what is missing where the provider cannot be loaded.
      for (const workers of WORKERS) {
        await enter(encoder(model, options, workers, { maxBatch, goldenCache }));
      }
      await enter(bare(join(model, 'onnx/vision_model.onnx'), options, shape, maxBatch));
      await enter(copyOnly(options, shape, maxBatch));
      for (const batch of options.batches) {
        say(`${name}, ${precision}, batches of ${batch} …`);
        rows.push(
          rowOf({ shape: name, precision, batch }, await measure(contenders, batch, options)),
        );
      }
      await rm(model, { recursive: true });
    }
  }
  return rows;
}
