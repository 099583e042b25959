import { addAbortSignal, type Readable } from 'node:stream';
import type { GetObjectCommandOutput, S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { AppError, messageOf } from '../errors.ts';
import { unavailable } from './fetch-faults.ts';
import type { OpenFetcher } from './image-fetcher.ts';
import { readLimited } from './read-limited.ts';
import { nameOf } from './reference-name.ts';
import { s3Fault } from './s3-faults.ts';
import { parseS3Reference, type S3Object } from './s3-reference.ts';

export interface S3FetcherOptions {
  /** @default AWS_REGION, or the profile's */
  region?: string | undefined;
  /** The base URL of a store that is not Amazon's. */
  endpoint?: string | undefined;
  /** The bucket in the path, not in the host name; most stores that are not Amazon's need it. */
  forcePathStyle: boolean;
  /** The only buckets served. @default every bucket that the credentials can read */
  buckets?: readonly string[] | undefined;
  maxBytes: number;
  /** Of one fetch, the SDK's attempts included. */
  timeoutMs: number;
  /** Of the SDK, before the store is taken for away. */
  attempts: number;
  /** As many as fetches run at once. */
  connections: number;
}

/**
 * Serves `s3://bucket/key` references with the credentials that the AWS SDK finds. The SDK is loaded here, so that
 * nobody else waits for it. Throws AppError `config_invalid` when no region is known. The fetcher throws
 * `image_uri_invalid`, `image_url_refused`, `image_not_found`, `image_forbidden`, `image_unfetchable`,
 * `image_empty`, `image_too_large` or `image_store_unavailable`.
 */
export async function createS3Fetcher(options: S3FetcherOptions): Promise<OpenFetcher> {
  const { maxBytes, timeoutMs } = options;
  const { GetObjectCommand, S3Client, S3ServiceException } = await import('@aws-sdk/client-s3');
  const client = new S3Client(clientConfig(options));
  await requireRegion(client);
  const buckets = options.buckets && new Set(options.buckets);

  async function get(name: string, object: S3Object, signal: AbortSignal): Promise<Buffer> {
    const { bucket: Bucket, key: Key, versionId: VersionId } = object;
    const command = new GetObjectCommand({ Bucket, Key, VersionId });
    const answer = await client.send(command, { abortSignal: signal });
    const body = bodyOf(answer);
    addAbortSignal(signal, body);
    try {
      return await readLimited(body, { name, maxBytes, announced: answer.ContentLength });
    } finally {
      body.on('error', () => undefined).destroy();
    }
  }

  return {
    schemes: ['s3'],
    fetch: async (uri, signal) => {
      signal?.throwIfAborted();
      const object = parseS3Reference(uri);
      const name = nameOf(uri);
      if (buckets?.has(object.bucket) === false) throw unlisted(name);
      const deadline = AbortSignal.timeout(timeoutMs);
      try {
        return await get(name, object, signal ? AbortSignal.any([signal, deadline]) : deadline);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof AppError) throw error;
        if (deadline.aborted) throw unavailable(name, `not done within ${timeoutMs} ms`, error);
        throw s3Fault(name, error, error instanceof S3ServiceException ? error : null);
      }
    },
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}

function clientConfig(options: S3FetcherOptions): S3ClientConfig {
  const { region, endpoint, forcePathStyle, attempts, timeoutMs, connections } = options;
  const agent = { keepAlive: true, maxSockets: connections };
  return {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle,
    maxAttempts: attempts,
    // An event's sha256 says more than a checksum that some stores do not send.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}

async function requireRegion(client: S3Client): Promise<void> {
  try {
    await client.config.region();
  } catch (error) {
    client.destroy();
    throw new AppError(
      'config_invalid',
      `images.s3.region: ${messageOf(error)}; set it, or AWS_REGION; a store that is not Amazon's takes any, such as us-east-1`,
      { cause: error },
    );
  }
}

/** On Node the SDK hands out the response itself. */
function bodyOf({ Body }: GetObjectCommandOutput): Readable {
  if (Body === undefined) throw new TypeError('S3 answered without a body');
  return Body as Readable;
}

function unlisted(name: string): AppError {
  return new AppError(
    'image_url_refused',
    `fetching image ${name}: its bucket is not among images.s3.buckets`,
  );
}
