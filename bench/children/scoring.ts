/**
 * What scoring costs beside inference: `node bench/children/scoring.ts` prints it as JSON. Needs neither Kafka nor
 * settings. Times are CPU time per image, in ms, the least of several rounds: other processes disturb those little.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pixels } from '../../src/images/image-decoder.ts';
import type { EncodedImage, Scoring, UnitVector } from '../../src/model/clip-encoder.ts';
import { normalizeRows } from '../../src/model/unit-vectors.ts';
import { createWorkerClipEncoder } from '../../src/model/worker-clip-encoder.ts';
import type { Policy } from '../../src/policies/bundle.ts';
import { decide } from '../../src/policies/decide.ts';
import { embedBundle, type EmbeddedBundle } from '../../src/policies/prompt-embeddings.ts';
import { scoreViews } from '../../src/policies/score-views.ts';
import { SHAPES, writeVitModel } from '../vit-model.ts';

export interface ScoringReport {
  /** ViT-B/32 with random weights on `threads` threads of the CPU, in batches of `batchSize`. */
  inference: { msPerImage: number; threads: number; batchSize: number };
  rows: ScoringRow[];
}

/** All in ms of CPU per image. */
export interface ScoringRow {
  policies: number;
  promptsEach: number;
  /** Distinct prompts, the neutral ones included. */
  prompts: number;
  /** What similarities in the graph add to a batch, their way back to the main thread included. */
  similaritiesInGraph: number;
  /** Similarities of an embedding that was kept. */
  similaritiesOfKept: number;
  /** From similarities to the outcome. */
  softmaxAndDecide: number;
  /** Share of the inference: a new image, and one whose embedding was kept. */
  shareNew: number;
  shareKept: number;
}

const BATCH = 8;
const DIMENSIONS = 512;
const PROMPTS_EACH = 8;
const ROUNDS = 9;
const EDGE = 224;

const scoring: Scoring = {
  kind: 'softmax',
  logitScale: 100,
  logitBias: 0,
  cosineFloor: null,
  neutralPrompts: null,
};
const grey: Pixels = {
  data: new Uint8Array(EDGE * EDGE * 3).fill(127),
  width: EDGE,
  height: EDGE,
};
const batch = Array.from({ length: BATCH }, () => grey);

export async function measureScoring(): Promise<ScoringReport> {
  const folder = await mkdtemp(join(tmpdir(), 'moderato-bench-'));
  try {
    const vit = join(folder, 'vit-b-32');
    await writeVitModel(vit, { shape: SHAPES.b32, precision: 'float32' });
    const msPerImage = await inferenceMs(vit, folder);
    // Without layers it is sooner over, and what similarities add shows.
    const shallow = join(folder, 'shallow');
    await writeVitModel(shallow, { shape: { ...SHAPES.b32, layers: 0 }, precision: 'float32' });
    const rows: ScoringRow[] = [];
    for (const policies of [10, 100, 1000]) {
      rows.push(await rowOf(policies, shallow, folder, msPerImage));
    }
    return {
      inference: { msPerImage, threads: availableParallelism(), batchSize: BATCH },
      rows,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function rowOf(
  policies: number,
  shallow: string,
  folder: string,
  inference: number,
): Promise<ScoringRow> {
  const bundle = await embedBundle(bundleOf(policies), textEncoder);
  const [without, within] = await batchMs(shallow, folder, bundle);
  const embedding = randomVector();
  const image: EncodedImage = { embedding, similarities: bundle.similarities(embedding) };
  const view = { ...image, region: { frame: 0, crop: 'whole', box: null, background: null } };
  const similaritiesOfKept = await leastCpuMs(() => bundle.similarities(embedding));
  const softmaxAndDecide = await leastCpuMs(() => decide(scoreViews([view], bundle, scoring), []));
  const similaritiesInGraph = within - without;
  return {
    policies,
    promptsEach: PROMPTS_EACH,
    prompts: bundle.matrix.length / DIMENSIONS,
    similaritiesInGraph,
    similaritiesOfKept,
    softmaxAndDecide,
    shareNew: (similaritiesInGraph + softmaxAndDecide) / inference,
    shareKept: (similaritiesOfKept + softmaxAndDecide) / inference,
  };
}

async function inferenceMs(model: string, folder: string): Promise<number> {
  const encoder = await createWorkerClipEncoder({
    model,
    preparedFolder: folder,
    maxBatchSize: BATCH,
  });
  const ms = await leastCpuMs(() => encoder.encodeImages(batch), 1, 5);
  await encoder.close();
  return ms / BATCH;
}

/** A batch without and with the bundle's prompts, in turns, per image. */
async function batchMs(
  model: string,
  folder: string,
  { matrix }: EmbeddedBundle,
): Promise<[number, number]> {
  const open = (): ReturnType<typeof createWorkerClipEncoder> =>
    createWorkerClipEncoder({ model, preparedFolder: folder, maxBatchSize: BATCH });
  const [without, within] = [await open(), await open()];
  await within.usePrompts(matrix);
  const least: [number, number] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    least[0] = Math.min(least[0], await leastCpuMs(() => without.encodeImages(batch), 10, 1));
    least[1] = Math.min(least[1], await leastCpuMs(() => within.encodeImages(batch), 10, 1));
  }
  await without.close();
  await within.close();
  return [least[0] / BATCH, least[1] / BATCH];
}

async function leastCpuMs(work: () => unknown, times = 20, rounds = ROUNDS): Promise<number> {
  let least = Infinity;
  await work();
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let time = 0; time < times; time++) await work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000 / times);
  }
  return least;
}

function randomVector(): UnitVector {
  const vector = Float32Array.from({ length: DIMENSIONS }, () => Math.random() - 0.5);
  return normalizeRows(vector, 1);
}

/** What `embedBundle` asks of an encoder. */
const textEncoder = {
  info: { scoring, dimensions: DIMENSIONS },
  encodeTexts: (texts: readonly string[]): Promise<UnitVector[]> =>
    Promise.resolve(texts.map(randomVector)),
};

function bundleOf(count: number): Parameters<typeof embedBundle>[0] {
  const policies = Array.from({ length: count }, (_, policy): Policy => ({
    id: `policy-${policy}`,
    title: `Policy ${policy}`,
    mode: 'enforce',
    prompts: Array.from({ length: PROMPTS_EACH }, (_, prompt) => `prompt ${policy}.${prompt}`),
    contrast: [],
    thresholds: { review: 0.6, block: 0.9 },
    onError: 'review',
    cosineFloor: null,
    templates: ['{}'],
    neutral: null,
    corroboration: 1,
  }));
  return { version: 1, hash: '', policies };
}

if (import.meta.main) console.log(JSON.stringify(await measureScoring(), null, 2));
