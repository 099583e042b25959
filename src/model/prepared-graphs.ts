import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { AppError, messageOf } from '../errors.ts';
import { keepFile } from './model-files.ts';
import type { ModelFolder } from './model-folder.ts';
import { ModelProtoSchema } from './onnx.generated.ts';
import { BUILDER_VERSION, prepareGraph } from './prepare-graph.ts';

export interface PreparedGraph {
  /** Refers to the exported file for its weights, by its name. */
  bytes: Uint8Array;
  /** Where the files are that it refers to. */
  weights: string;
  /** Where it is kept, or would be. */
  file: string;
  /** `found` there, `written` now, or `unwritten`: the folder cannot be written, so it is made at every start. */
  state: 'found' | 'written' | 'unwritten';
}

/**
 * The prepared vision graph of a model: the one kept below `folder`, else made now and kept. What is kept counts only
 * with the hash of its content; anything else is made again.
 * Throws AppError `model_invalid`.
 */
export async function preparedGraph(model: ModelFolder, folder: string): Promise<PreparedGraph> {
  // The runtime follows no link that leaves the folder of the weights.
  const source = await realpath(model.graphs.vision);
  const [location, weights] = [basename(source), dirname(source)];
  const file = join(folder, keyOf(model, location), 'vision.onnx');
  const kept = await readFile(file).catch(() => null);
  const content = kept && unseal(kept);
  if (content) return { bytes: content, weights, file, state: 'found' };

  const bytes = prepareGraph({
    file: model.graphs.vision,
    bytes: await readSource(source),
    location,
    preprocess: model.preprocess,
    dimensions: model.dimensions,
  });
  return {
    bytes,
    weights,
    file,
    state: (await keepFile(file, seal(bytes))) ? 'written' : 'unwritten',
  };
}

/** The model's identity covers its graphs and how pixels become numbers. */
function keyOf({ hash }: ModelFolder, location: string): string {
  return createHash('sha256').update(`${hash}\0${location}\0${BUILDER_VERSION}`).digest('hex');
}

async function readSource(file: string): Promise<Uint8Array> {
  return readFile(file).catch((cause: unknown) => {
    throw new AppError('model_invalid', `loading ${file}: ${messageOf(cause)}`, { cause });
  });
}

/** The graph, and as one more of its metadata the SHA-256 of what comes before. */
function seal(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, sealOf(bytes)]);
}

function unseal(sealed: Uint8Array): Uint8Array | null {
  const bytes = sealed.subarray(0, Math.max(0, sealed.length - SEAL_BYTES));
  return sealOf(bytes).equals(sealed.subarray(bytes.length)) ? bytes : null;
}

function sealOf(bytes: Uint8Array): Buffer {
  const value = createHash('sha256').update(bytes).digest('hex');
  const seal = create(ModelProtoSchema, { metadataProps: [{ key: 'sha256', value }] });
  return Buffer.from(toBinary(ModelProtoSchema, seal));
}

const SEAL_BYTES = sealOf(new Uint8Array()).length;
