/**
 * The only importer of onnxruntime-node: a graph becomes a function from numbers to unit vectors.
 * `run` blocks the JavaScript thread it is called on, so this file is loaded in the encoder's worker only.
 */
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { AppError, messageOf } from '../errors.ts';
import type { ExecutionProvider } from './clip-encoder.ts';
import type { ModelFolder } from './model-folder.ts';
import {
  type GraphValue,
  expectPixelInput,
  expectShape,
  expectType,
  misfit,
  names,
  pickOutput,
} from './graph-values.ts';
import { PREPARED } from './prepare-graph.ts';
import type { TokenBatch } from './tokenizer.ts';
import { expectUnitRows, normalizeRows } from './unit-vectors.ts';

// What fails is thrown, and told once by whoever catches it.
env.logLevel = 'fatal';

export interface RuntimeOptions {
  executionProvider: ExecutionProvider;
  /** Which GPU, for cuda and tensorrt. */
  deviceId: number;
  /** Threads of one inference on the CPU. */
  threads: number;
}

/** One tower of the model: `count` unit vectors, one after the other, for each input. */
export interface Tower<Input> {
  run(input: Input): Promise<Float32Array>;
  release(): Promise<void>;
}

/** A graph in memory. */
export interface LoadedGraph {
  bytes: Uint8Array;
  /** Where the files are that it refers to for weights. */
  folder: string;
  /** For messages. */
  file: string;
}

/** `[count, 3, height, width]`, normalised as the model asks. */
export interface PixelBatch {
  pixels: Float32Array;
  count: number;
}

/** `[count, height, width, 3]`. */
export interface ByteBatch {
  bytes: Uint8Array;
  count: number;
}

export interface Encoded {
  /** Unit vectors, one after the other. */
  embeddings: Float32Array;
  /** `[count, prompts]`; null where the graph holds no prompts. */
  similarities: Float32Array | null;
}

/** A prepared graph. */
export interface PreparedTower {
  run(input: ByteBatch): Promise<Encoded>;
  release(): Promise<void>;
}

/** An exported graph as it is. Throws AppError `provider_unavailable` or `model_invalid`. */
export async function openVisionTower(
  model: ModelFolder,
  options: RuntimeOptions,
): Promise<Tower<PixelBatch>> {
  const { width, height } = model.preprocess;
  const file = model.graphs.vision;
  const session = await open(file, options);
  expectPixelInput(file, tensors(session.inputMetadata), FLOAT32, model.preprocess);
  const output = pickOutput(
    file,
    tensors(session.outputMetadata),
    ['image_embeds', 'pooler_output'],
    FLOAT32,
    model.dimensions,
  ).name;
  return {
    run: ({ pixels, count }) => {
      const tensor = new Tensor('float32', pixels, [count, 3, height, width]);
      return embed(session, { pixel_values: tensor }, output, count);
    },
    release: () => session.release(),
  };
}

/** Throws AppError `provider_unavailable` or `model_invalid`. */
export async function openPreparedTower(
  graph: LoadedGraph,
  { width, height }: { width: number; height: number },
  options: RuntimeOptions,
): Promise<PreparedTower> {
  const session = await open(graph, options);
  const outputs = tensors(session.outputMetadata);
  const prompts = outputs.find(({ name }) => name === PREPARED.similarities)?.shape[1];
  const names = outputs.map(({ name }) => name);
  const run = async ({ bytes, count }: ByteBatch): Promise<Encoded> => {
    const pixels = new Tensor('uint8', bytes, [count, height, width, 3]);
    const answer = await runBatch(session, { [PREPARED.pixels]: pixels }, names, count);
    const embeddings = numbers(answer[PREPARED.embeddings], count);
    expectUnitRows(embeddings, count);
    const similarities =
      prompts === undefined ? null : numbers(answer[PREPARED.similarities], count);
    return { embeddings, similarities };
  };
  return { run, release: () => session.release() };
}

/** Throws AppError `provider_unavailable` or `model_invalid`. */
export async function openTextTower(
  model: ModelFolder,
  options: RuntimeOptions,
): Promise<Tower<TokenBatch>> {
  const file = model.graphs.text;
  const session = await open(file, options);
  const inputs = tensors(session.inputMetadata);
  const known = ['input_ids', 'attention_mask'];
  if (
    !inputs.some(({ name }) => name === 'input_ids') ||
    inputs.some((i) => !known.includes(i.name))
  ) {
    misfit(file, 'an input input_ids and, optionally, attention_mask', names(inputs));
  }
  for (const input of inputs) {
    expectType(file, input, ['int64']);
    // A graph of one fixed length serves only texts padded to exactly that length.
    expectShape(file, input, [
      'batch',
      model.text.padTo === 'max' ? model.text.maxLength : 'length',
    ]);
  }
  const output = pickOutput(
    file,
    tensors(session.outputMetadata),
    ['text_embeds', 'pooler_output'],
    ['float32', 'float16'],
    model.dimensions,
  ).name;
  const takesMask = inputs.some(({ name }) => name === 'attention_mask');
  return {
    run: ({ ids, mask, count, length }) => {
      const tensor = (data: BigInt64Array): Tensor => new Tensor('int64', data, [count, length]);
      const feeds = { input_ids: tensor(ids), ...(takesMask && { attention_mask: tensor(mask) }) };
      return embed(session, feeds, output, count);
    },
    release: () => session.release(),
  };
}

/**
 * In the order in which they are offered the graph: what TensorRT does not take, CUDA does. The Node binding of
 * ONNX Runtime 1.30 hands TensorRT no option but the device.
 */
const PROVIDERS: Record<ExecutionProvider, readonly ExecutionProvider[]> = {
  cpu: ['cpu'],
  cuda: ['cuda'],
  tensorrt: ['tensorrt', 'cuda'],
};

const CUDA_NEEDS =
  'needs an NVIDIA driver, CUDA 13, cuDNN 9 and the provider library of the version of onnxruntime-node';
const NEEDED = {
  cuda: `The CUDA provider ${CUDA_NEEDS}`,
  tensorrt: `The TensorRT provider ${CUDA_NEEDS}, and libnvinfer and libnvonnxparser of TensorRT 10`,
} as const;

async function open(
  graph: string | LoadedGraph,
  options: RuntimeOptions,
): Promise<InferenceSession> {
  const { executionProvider, deviceId, threads } = options;
  const file = typeof graph === 'string' ? graph : graph.file;
  const settings: InferenceSession.SessionOptions = {
    executionProviders: PROVIDERS[executionProvider].map((name) => ({ name, deviceId })),
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Threads that wait by spinning steal the processors from the decoders: on a busy two-core machine
    // small batches run two to three times as fast without, on an idle one it makes no difference.
    extra: {
      session: {
        intra_op: { allow_spinning: '0' },
        ...(typeof graph !== 'string' && {
          model_external_initializers_file_folder_path: graph.folder,
        }),
      },
    },
  };
  try {
    return typeof graph === 'string'
      ? await InferenceSession.create(graph, settings)
      : await InferenceSession.create(graph.bytes, settings);
  } catch (cause) {
    const message = messageOf(cause);
    if (
      executionProvider !== 'cpu' &&
      /cuda|cudnn|cublas|tensorrt|nvinfer|provider|shared library/i.test(message)
    ) {
      throw new AppError(
        'provider_unavailable',
        `loading ${file} on ${executionProvider} device ${deviceId}: ${message}. ${NEEDED[executionProvider]} ` +
          '(see docs/howto-gpu.md); model.executionProvider: cpu runs without any of them.',
        { cause },
      );
    }
    throw new AppError('model_invalid', `loading ${file}: ${message}`, { cause });
  }
}

async function embed(
  session: InferenceSession,
  feeds: Record<string, Tensor>,
  output: string,
  count: number,
): Promise<Float32Array> {
  const answer = await runBatch(session, feeds, [output], count);
  return normalizeRows(numbers(answer[output], count), count);
}

async function runBatch(
  session: InferenceSession,
  feeds: Record<string, Tensor>,
  outputs: readonly string[],
  count: number,
): Promise<Partial<Record<string, Tensor>>> {
  try {
    return await session.run(feeds, outputs);
  } catch (cause) {
    throw new AppError('inference_failed', `running a batch of ${count}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** The numbers of an output with a row for each input. */
function numbers(answer: Tensor | undefined, count: number): Float32Array {
  const [rows] = answer?.dims ?? [];
  if (answer && rows === count) {
    const { data } = answer;
    return data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>);
  }
  throw new AppError(
    'inference_failed',
    `running a batch of ${count}: the model answered ${rows ?? 'no'} embeddings`,
  );
}

const FLOAT32 = ['float32'] as const;

function tensors(metadata: readonly InferenceSession.ValueMetadata[]): GraphValue[] {
  return metadata.filter((value) => value.isTensor);
}
