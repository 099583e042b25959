/**
 * The only importer of onnxruntime-node: a graph on disk becomes a function from numbers to unit vectors.
 * `run` blocks the JavaScript thread it is called on, so this file is loaded in the encoder's worker only.
 */
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { AppError, messageOf } from '../errors.ts';
import type { ExecutionProvider } from './clip-encoder.ts';
import type { ModelFolder } from './model-folder.ts';
import type { TokenBatch } from './tokenizer.ts';
import { normalizeRows } from './unit-vectors.ts';

// What fails is thrown, and told once by whoever catches it.
env.logLevel = 'fatal';

export interface RuntimeOptions {
  executionProvider: ExecutionProvider;
  /** Which GPU, for cuda and tensorrt. */
  deviceId: number;
  /** Threads of one inference on the CPU. */
  threads: number;
}

/** One tower of the model. Answers hold `count` unit vectors, one after the other. */
export interface Tower<Input> {
  run(input: Input): Promise<Float32Array>;
  release(): Promise<void>;
}

/** `[count, 3, height, width]`, normalised as the model asks. */
export interface PixelBatch {
  pixels: Float32Array;
  count: number;
}

type Metadata = InferenceSession.TensorValueMetadata;

/** Throws AppError `provider_unavailable` or `model_invalid`. */
export async function openVisionTower(
  model: ModelFolder,
  options: RuntimeOptions,
): Promise<Tower<PixelBatch>> {
  const { width, height } = model.preprocess;
  const file = model.graphs.vision;
  const session = await open(file, options);
  const inputs = tensors(session.inputMetadata);
  const input = inputs.find(({ name }) => name === 'pixel_values');
  if (!input || inputs.length !== 1) {
    misfit(file, 'one input pixel_values (a vision tower of its own)', names(inputs));
  }
  expectType(file, input, 'float32');
  expectShape(file, input, ['batch', 3, height, width]);
  const output = pickOutput(file, session, ['image_embeds', 'pooler_output'], model.dimensions);
  return {
    run: ({ pixels, count }) => {
      const tensor = new Tensor('float32', pixels, [count, 3, height, width]);
      return embed(session, { pixel_values: tensor }, output, count);
    },
    release: () => session.release(),
  };
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
    expectType(file, input, 'int64');
    // A graph of one fixed length serves only texts padded to exactly that length.
    expectShape(file, input, [
      'batch',
      model.text.padTo === 'max' ? model.text.maxLength : 'length',
    ]);
  }
  const output = pickOutput(file, session, ['text_embeds', 'pooler_output'], model.dimensions);
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

async function open(file: string, options: RuntimeOptions): Promise<InferenceSession> {
  const { executionProvider, deviceId, threads } = options;
  try {
    return await InferenceSession.create(file, {
      executionProviders: PROVIDERS[executionProvider].map((name) => ({ name, deviceId })),
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // Threads that wait by spinning steal the processors from the decoders: on a busy two-core machine
      // small batches run two to three times as fast without, on an idle one it makes no difference.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
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
  let answer: Tensor | undefined;
  try {
    answer = (await session.run(feeds, [output]))[output];
  } catch (cause) {
    throw new AppError('inference_failed', `running a batch of ${count}: ${messageOf(cause)}`, {
      cause,
    });
  }
  const [rows] = answer?.dims ?? [];
  if (!answer || rows !== count) {
    throw new AppError(
      'inference_failed',
      `running a batch of ${count}: the model answered ${rows ?? 'no'} embeddings`,
    );
  }
  return normalizeRows(answer.data as Float32Array, count);
}

function tensors(metadata: readonly InferenceSession.ValueMetadata[]): Metadata[] {
  return metadata.filter((value) => value.isTensor);
}

/** The output that holds the embedding, by the names that exporters give it. */
function pickOutput(
  file: string,
  session: InferenceSession,
  candidates: readonly string[],
  dimensions: number | null,
): string {
  const outputs = tensors(session.outputMetadata);
  const output = candidates
    .map((name) => outputs.find((each) => each.name === name))
    .find((each) => each !== undefined);
  if (!output) misfit(file, `an output ${candidates.join(' or ')}`, names(outputs));
  expectType(file, output, 'float32');
  expectShape(file, output, ['batch', dimensions ?? 'dimensions']);
  return output.name;
}

function expectType(file: string, { name, type }: Metadata, expected: string): void {
  if (type !== expected) misfit(file, `${name} as ${expected}`, type);
}

/** Sizes that a caller chooses: a graph must leave them open. */
const FREE = new Set<string | number>(['batch', 'length']);

/** A number must be met, a name that is not free stands for any size. */
function expectShape(file: string, value: Metadata, expected: readonly (string | number)[]): void {
  const { name, shape } = value;
  const fits = shape.every((size, axis) => {
    const wanted = expected[axis];
    if (typeof size === 'string') return true;
    return typeof wanted === 'number' ? size === wanted : wanted !== undefined && !FREE.has(wanted);
  });
  if (shape.length === expected.length && fits) return;
  misfit(file, `${name} as ${describe(expected)}`, describe(shape));
}

function misfit(file: string, expected: string, found: string): never {
  throw new AppError('model_invalid', `loading ${file}: expected ${expected}, found ${found}`);
}

const names = (values: readonly Metadata[]): string => values.map(({ name }) => name).join(', ');
const describe = (shape: readonly (string | number)[]): string => `[${shape.join(', ')}]`;
