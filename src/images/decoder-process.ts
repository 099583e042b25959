/**
 * The decoder process: encoded bytes in, pixels out, one image at a time. A crash in the native decoder costs a
 * process that holds nothing but one image.
 */
import { AppError } from '../errors.ts';
import type {
  DecoderJob,
  DecoderReply,
  DecoderRequest,
  DecoderResult,
  DecoderSettings,
} from './decoder-messages.ts';
import { openLink } from './parent-link.ts';
import { createNativeDecoder } from './native-decoder.ts';

const decoder = createNativeDecoder(JSON.parse(process.argv[2] ?? '{}') as DecoderSettings);

function perform(request: DecoderRequest, bytes: Buffer): Promise<DecoderResult> {
  switch (request.task) {
    case 'decode':
      return decoder.decode(bytes, request);
    case 'thumbnail':
      return decoder.thumbnail(bytes, request.maxEdge);
    case 'fingerprint':
      return decoder.fingerprint(bytes);
  }
}

const link = openLink<DecoderJob, DecoderReply>();

link.onMessage(({ job, request }) => {
  const { buffer, byteOffset, byteLength } = request.bytes;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  perform(request, bytes).then(
    (done) => link.send({ kind: 'done', job, result: done }),
    (error: unknown) => {
      // Not of the image's making: the process is not to be trusted with another one.
      if (!(error instanceof AppError)) throw error;
      link.send({ kind: 'failed', job, code: error.code, message: error.message });
    },
  );
});
link.send({ kind: 'ready' });
