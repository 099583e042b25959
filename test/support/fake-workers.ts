import type { startEncoderThread } from '../../src/model/encoder-thread.ts';
import type { Encoded } from '../../src/model/ort-session.ts';

/** Workers that are told apart by their device, and answer when they are let. */
export function fakeWorkers(): {
  startThread: typeof startEncoderThread;
  started: { provider: string; device: number; texts: boolean }[];
  asked: number[];
  answer: () => void;
} {
  const started: { provider: string; device: number; texts: boolean }[] = [];
  const asked: number[] = [];
  const waiting: (() => void)[] = [];
  const golden = {
    text: '',
    imageEmbedding: Float32Array.of(1, 0, 0),
    textEmbedding: Float32Array.of(1, 0, 0),
    tolerance: 1e-3,
  };
  const startThread: typeof startEncoderThread = ({ runtime, goldenText }) => {
    const texts = goldenText !== null;
    started.push({ provider: runtime.executionProvider, device: runtime.deviceId, texts });
    let pending = 0;
    return Promise.resolve({
      golden,
      get pending() {
        return pending;
      },
      ask: () => {
        pending++;
        asked.push(runtime.deviceId);
        return new Promise<Encoded>((resolve) =>
          waiting.push(() => {
            pending--;
            resolve({ embeddings: golden.imageEmbedding, similarities: null });
          }),
        );
      },
      close: () => Promise.resolve(),
    });
  };
  const answer = (): void => {
    for (const each of waiting.splice(0)) each();
  };
  return { startThread, started, asked, answer };
}
