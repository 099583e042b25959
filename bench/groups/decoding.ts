import type { Setup } from '../setup.ts';
import type { Trial } from '../trial.ts';
import { child } from './end-to-end.ts';

/** (c) From JPEG to pixels. */
export function decoding(setup: Setup): Trial[] {
  return [
    child(setup, 'jpeg', 'JPEG to pixels, in one process'),
    child(setup, 'jpeg-sharp', "the same by sharp's own resize"),
    child(setup, 'jpeg-codec', 'the codec alone'),
    child(setup, 'pool', 'its decoder pool only'),
    child(setup, 'in-process', 'the same decoding in the process that wants the pixels'),
    child(setup, 'loop', 'the same decoding in as many processes, no pool'),
  ];
}
