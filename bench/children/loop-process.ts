/** Decodes the photos one after the other, in the process that has them in memory: nothing is handed over. */
import type { DecoderSettings } from '../../src/images/decoder-messages.ts';
import { createNativeDecoder } from '../../src/images/native-decoder.ts';
import { now, photoOf, settings, type ChildReport } from './child.ts';

const decoder = createNativeDecoder(JSON.parse(process.argv[3] ?? '{}') as DecoderSettings);
const moments: number[] = [];
for (let event = 0; event < settings.events; event++) {
  await decoder.decode(photoOf(event));
  moments.push(now());
}
const report: ChildReport = { moments };
process.send?.(report);
