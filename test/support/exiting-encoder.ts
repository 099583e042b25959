/** A process that exits with code 7 while its encoder is at work on a large batch. Run, not imported. */
import type { Pixels } from '../../src/images/image-decoder.ts';
import { resolveModel } from '../../src/model/store.ts';
import { createWorkerClipEncoder } from '../../src/model/worker-clip-encoder.ts';

const encoder = await createWorkerClipEncoder({ model: await resolveModel('starter') });
const { width, height } = encoder.info.preprocess;
const black: Pixels = { data: new Uint8Array(width * height * 3), width, height };
void encoder.encodeImages(Array.from({ length: 12 }, () => black));
setTimeout(() => process.exit(7), 50);
