/**
 * The thread that inference runs on: running a session blocks its JavaScript thread, and the main
 * thread has heartbeats to send. Requests are answered one at a time, in order.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { AppError, messageOf } from '../errors.ts';
import type { Failure, Reply, Request, WorkerData } from './encoder-messages.ts';
import { GOLDEN_TOLERANCE, goldenImage, type Golden } from './golden.ts';
import { openTextTower, openVisionTower } from './ort-session.ts';
import { createPixelTensor } from './pixel-tensor.ts';
import { createTextEncoder } from './text-encoder.ts';

if (parentPort === null) throw new Error('encoder-worker.ts is started as a worker thread');
const port = parentPort;
const { model, runtime, maxBatchSize, textIdleMs, goldenText, busy } = workerData as WorkerData;

const reply = (message: Reply, transfer: ArrayBuffer[] = []): void => {
  port.postMessage(message, transfer);
};

const setBusy = (yes: boolean): void => {
  const flag = new Int32Array(busy);
  Atomics.store(flag, 0, Number(yes));
  Atomics.notify(flag, 0);
};

try {
  await serve();
} catch (error) {
  reply({ kind: 'failed', error: toFailure(error, 'encoder_failed') });
  port.close();
} finally {
  setBusy(false);
}

async function serve(): Promise<void> {
  const { executionProvider } = runtime;
  const tensor = createPixelTensor(model.preprocess, maxBatchSize);
  const vision = await openVisionTower(model, runtime);
  const texts = createTextEncoder({
    model,
    idleMs: textIdleMs,
    // TensorRT builds an engine for each length of text, and prompts are embedded once: not worth it.
    openTower: () =>
      openTextTower(model, {
        ...runtime,
        executionProvider: executionProvider === 'tensorrt' ? 'cuda' : executionProvider,
      }),
  });

  const encodeImages = (bytes: Uint8Array, count: number): Promise<Float32Array> =>
    vision.run({ pixels: tensor.fill(bytes, count), count });

  const golden = async (): Promise<Golden> => {
    const { width, height } = model.preprocess;
    return {
      text: goldenText,
      imageEmbedding: await encodeImages(goldenImage(width, height), 1),
      textEmbedding: await texts.encode([goldenText]),
      tolerance: GOLDEN_TOLERANCE,
    };
  };

  const answer = async (request: Request): Promise<void> => {
    if (request.kind === 'close') {
      await texts.release();
      await vision.release();
      port.close();
      return;
    }
    try {
      const embeddings =
        request.kind === 'images'
          ? await encodeImages(new Uint8Array(request.pixels), request.count)
          : await texts.encode(request.texts);
      // A copy: the runtime owns the memory it answers in.
      const copy = embeddings.slice();
      reply({ kind: 'embeddings', id: request.id, embeddings: copy }, [copy.buffer]);
    } catch (error) {
      reply({ kind: 'rejected', id: request.id, error: toFailure(error, 'inference_failed') });
    }
  };

  const self = await golden();
  if (executionProvider === 'tensorrt') {
    // It builds its engine anew, in minutes, for a batch larger than any before: the largest comes first.
    const { width, height } = model.preprocess;
    const images = Array<Uint8Array>(maxBatchSize).fill(goldenImage(width, height));
    await encodeImages(Buffer.concat(images), maxBatchSize);
  }
  let tail = Promise.resolve();
  port.on('message', (request: Request) => {
    tail = tail.then(async () => {
      setBusy(true);
      await answer(request);
      setBusy(false);
    });
  });
  reply({ kind: 'ready', golden: self });
}

function toFailure(error: unknown, otherwise: Failure['code']): Failure {
  return {
    code: error instanceof AppError ? error.code : otherwise,
    message: messageOf(error),
  };
}
