/**
 * The thread that inference runs on: running a session blocks its JavaScript thread, and the main
 * thread has heartbeats to send. Requests are answered one at a time, in order.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { AppError, messageOf } from '../errors.ts';
import type { Failure, Reply, Request, WorkerData } from './encoder-messages.ts';
import { GOLDEN_TOLERANCE, goldenImage, type Golden } from './golden.ts';
import { openTextTower, type Encoded } from './ort-session.ts';
import { createTextEncoder } from './text-encoder.ts';
import { openVisionEncoder } from './vision-encoder.ts';

if (parentPort === null) throw new Error('encoder-worker.ts is started as a worker thread');
const port = parentPort;
const { busy, ...start } = workerData as WorkerData;
const { model, runtime, maxBatchSize, textIdleMs, goldenText } = start;

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
  const vision = await openVisionEncoder(start);
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

  const golden = async (): Promise<Golden> => {
    const bytes = goldenImage(model.preprocess.width, model.preprocess.height);
    const { embeddings } = await vision.encode({ bytes, count: 1 });
    return {
      text: goldenText ?? '',
      imageEmbedding: embeddings.slice(),
      textEmbedding: goldenText === null ? new Float32Array() : await texts.encode([goldenText]),
      tolerance: GOLDEN_TOLERANCE,
    };
  };
  const self = await golden();

  const imageBytes = model.preprocess.width * model.preprocess.height * 3;

  /**
   * A full batch of the golden image: what the largest batch needs is there before the first one comes. TensorRT
   * builds its engine anew, in minutes, for a batch larger than any before.
   */
  const warmUp = (): Promise<Encoded> => {
    const image = goldenImage(model.preprocess.width, model.preprocess.height);
    const bytes = new Uint8Array(maxBatchSize * imageBytes);
    for (let at = 0; at < bytes.length; at += imageBytes) bytes.set(image, at);
    return vision.encode({ bytes, count: maxBatchSize });
  };

  const encode = async (request: Exclude<Request, { kind: 'close' }>): Promise<Encoded> => {
    switch (request.kind) {
      case 'images':
        return vision.encode({
          bytes: new Uint8Array(request.pixels, 0, request.count * imageBytes),
          count: request.count,
        });
      case 'texts':
        return { embeddings: await texts.encode(request.texts), similarities: null };
      case 'prompts':
        await vision.usePrompts(request.prompts, self.imageEmbedding.length);
        return warmUp();
    }
  };

  const answer = async (request: Request): Promise<void> => {
    if (request.kind === 'close') {
      await texts.release();
      await vision.release();
      port.close();
      return;
    }
    try {
      const encoded = await encode(request);
      // Copies: the runtime owns the memory it answers in.
      const embeddings = encoded.embeddings.slice();
      const similarities = encoded.similarities?.slice() ?? null;
      const transfer = [embeddings.buffer, ...(similarities ? [similarities.buffer] : [])];
      reply({ kind: 'encoded', id: request.id, embeddings, similarities }, transfer);
    } catch (error) {
      reply({ kind: 'rejected', id: request.id, error: toFailure(error, 'inference_failed') });
    }
  };

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
