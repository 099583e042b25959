// Says that it is ready, then answers the first request by dying, or not at all, as `goldenText` tells it to.
import { parentPort, workerData } from 'node:worker_threads';

if (workerData.goldenText === 'at once') process.exit(3);
const any = Float32Array.of(1);
parentPort.postMessage({
  kind: 'ready',
  golden: { imageEmbedding: any, textEmbedding: any, tolerance: 1 },
});
parentPort.on('message', () => {
  if (workerData.goldenText === 'throw') throw new Error('out of luck');
  if (workerData.goldenText === 'exit') process.exit(3);
});
