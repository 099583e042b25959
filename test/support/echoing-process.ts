/** Sends what it is sent back, its bytes the other way round. Run as a process, not imported. */
import { openLink } from '../../src/images/parent-link.ts';

const link = openLink<{ bytes: Uint8Array }, { bytes: Uint8Array }>();
link.onMessage(({ bytes }) => link.send({ bytes: bytes.toReversed() }));
