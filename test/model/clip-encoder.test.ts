import { jest } from '@jest/globals';
import { createMemoryClipEncoder } from '../../src/model/memory-clip-encoder.ts';
import { createWorkerClipEncoder } from '../../src/model/worker-clip-encoder.ts';
import { memoryGoldenCache, modelFolder, temporaryFolder } from '../support/onnx-models.ts';
import { clipEncoderConformance } from './clip-encoder-conformance.ts';

jest.setTimeout(30_000);

clipEncoderConformance('the encoder in memory', () =>
  createMemoryClipEncoder({
    image: ({ data }) => [data[0] ?? 0, data[1] ?? 0, 1],
    text: (text) => [text.length, text.charCodeAt(2), 1],
  }),
);

for (const graph of ['prepared', 'plain'] as const) {
  clipEncoderConformance(
    `the encoder in a worker, with a ${graph} graph`,
    async () =>
      createWorkerClipEncoder({
        model: await modelFolder(),
        graph,
        goldenCache: memoryGoldenCache(),
        preparedFolder: await temporaryFolder(),
      }),
    { comparing: graph === 'prepared' },
  );
}
