import { addAbortSignal, Readable } from 'node:stream';
import type { GetObjectCommand } from '@aws-sdk/client-s3';
import type { Progress } from './whole-answer.ts';

/** What S3's last answer to a command says beside the body. */
export interface S3Head extends Progress {
  /** The region that the bucket lies in, where the answer says so. */
  bucketRegion: string | undefined;
}

interface SdkResponse {
  statusCode: number;
  headers: Record<string, string | undefined>;
  body: unknown;
}

/** Bytes of an error's XML; Amazon's have below 1 KiB. */
const LONGEST_ERROR = 64 * 1024;

/**
 * Records the head of each answer in `head`, and bounds the body of errors, which the SDK reads as a whole. Runs
 * below the SDK's deserializer and retries, so it sees every answer.
 */
export function observeAnswers(command: GetObjectCommand, head: S3Head, signal: AbortSignal): void {
  command.middlewareStack.add(
    (next) => async (args) => {
      head.status = 0;
      const result = await next(args);
      const response = result.response as SdkResponse;
      head.status = response.statusCode;
      head.bucketRegion = response.headers['x-amz-bucket-region'];
      if (response.statusCode >= 300 && response.body instanceof Readable) {
        response.body = addAbortSignal(signal, Readable.from(beginning(response.body)));
      }
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'moderatoObserveAnswers' },
  );
}

async function* beginning(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    yield chunk;
    if (length > LONGEST_ERROR) return;
  }
}
