/** A decoder process that an image has taken over: it does the worst that the image's text names. Not imported. */
import { readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';

import type { DecoderJob, DecoderSettings } from '../../src/images/decoder-messages.ts';
import { LINK_FD, openLink } from '../../src/images/parent-link.ts';
import { done, failed, hostileReplies, image } from './hostile-replies.ts';

const { preprocess } = JSON.parse(process.argv[2] ?? '') as DecoderSettings;
const replies = hostileReplies(preprocess);
const link = openLink<DecoderJob, unknown>();

/** What `attempt` comes to, as a harmless reply that tells. */
const outcomes: Record<string, (parameter: string) => unknown> = {
  read: (path) => readFileSync(path, 'latin1').length,
  write: (path) => writeFileSync(path, 'x'),
  descriptors: () => readdirSync('/proc/self/fd').length,
  connect: (port) =>
    new Promise((resolve, reject) => {
      connect(Number(port), '127.0.0.1').on('connect', resolve).on('error', reject);
    }),
};

const raw: Record<string, Buffer> = {
  noise: Buffer.alloc(100_000, 0xa5),
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  'empty JSON': Buffer.from([0, 0, 0, 0, 0, 0, 0, 0]),
};

link.onMessage(({ job, request }) => {
  const text = Buffer.from(request.bytes).toString();
  const [attempt = '', parameter = ''] = text.split('=');
  const outcome = outcomes[attempt];
  if (outcome) {
    const tell = (message: string): void => link.send({ ...failed(job, 'image_corrupt'), message });
    Promise.try(outcome, parameter).then(
      (value) => tell(`done: ${String(value)}`),
      (error: unknown) => tell(`refused: ${(error as NodeJS.ErrnoException).code}`),
    );
    return;
  }
  const bytes = raw[text];
  if (bytes) {
    writeSync(LINK_FD, bytes);
    return;
  }
  if (text === 'twice') link.send(done(job, image(preprocess)));
  link.send(replies[text]?.(job) ?? done(job, image(preprocess)));
});
link.send({ kind: 'ready' });
