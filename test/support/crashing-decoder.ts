/** A decoder process for tests that does what the image's text says. Run as a process, not imported. */
import type {
  DecoderJob,
  DecoderReply,
  DecoderSettings,
} from '../../src/images/decoder-messages.ts';
import { openLink } from '../../src/images/parent-link.ts';
import { aDecodedImage } from './decoded-image.ts';

const MIB = 2 ** 20;
const kept: Buffer[] = [];

const { preprocess } = JSON.parse(process.argv[2] ?? '') as DecoderSettings;
const { width, height } = preprocess;

const link = openLink<DecoderJob, DecoderReply>();
const reply = (message: DecoderReply) => link.send(message);

link.onMessage(({ job, request }) => {
  const text = Buffer.from(request.bytes).toString();
  if (text === 'abort') process.abort();
  if (text === 'exit') process.exit(3);
  if (text === 'throw') throw new Error('a bug');
  if (text === 'spin') for (;;);
  if (text === 'grow') {
    setInterval(() => kept.push(Buffer.alloc(8 * MIB, 1)), 5);
    return;
  }
  if (text === 'lie') {
    reply({ kind: 'failed', job, code: 'decoder_unavailable', message: 'says who' });
    return;
  }
  if (text === 'hoard') kept.push(Buffer.alloc(200 * MIB, 1));
  const done = () => {
    const data = Buffer.alloc(width * height * 3);
    data.write(text === 'environment' ? JSON.stringify(process.env) : text);
    reply({ kind: 'done', job, result: aDecodedImage({ data, width, height }) });
  };
  // An image whose text is a number takes so many ms.
  setTimeout(done, Number(text) || 0);
});
if (process.env['TZ'] === 'Never/Ready') process.exit(4);
reply({ kind: 'ready' });
