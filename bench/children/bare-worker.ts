import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

export interface BareModel {
  file: string;
  threads: number;
  edge: number;
  /** normalised = (byte − mean) × scale */
  mean: number;
  scale: number;
}

export interface BareBatch {
  /** `[edge, edge, 3]` each */
  pixels: Uint8Array[];
}

const { file, threads, edge, mean, scale } = workerData as BareModel;
const plane = edge * edge;
const session = await InferenceSession.create(file, { intraOpNumThreads: threads });

parentPort?.on('message', ({ pixels }: BareBatch) => {
  void infer(pixels).then((embeddings) => parentPort?.postMessage(embeddings));
});
parentPort?.postMessage('ready');

async function infer(pixels: readonly Uint8Array[]): Promise<Float32Array> {
  const input = new Float32Array(pixels.length * 3 * plane);
  pixels.forEach((image, index) => {
    const start = index * 3 * plane;
    for (let at = 0; at < plane; at++) {
      for (let channel = 0; channel < 3; channel++) {
        const byte = image[at * 3 + channel] ?? 0;
        input[start + channel * plane + at] = (byte - mean) * scale;
      }
    }
  });
  const pixelValues = new Tensor('float32', input, [pixels.length, 3, edge, edge]);
  const { image_embeds: answer } = await session.run({ pixel_values: pixelValues });
  return answer?.data as Float32Array;
}
