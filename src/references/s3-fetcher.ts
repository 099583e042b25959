import { addAbortSignal, type Readable } from 'node:stream';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { AppError, messageOf } from '../errors.ts';
import { unavailable, unfetchable } from './fetch-faults.ts';
import type { OpenFetcher } from './image-fetcher.ts';
import { chunksOf, fieldOf, fromLibrary, LibraryFault } from './library-fault.ts';
import { readLimited } from './read-limited.ts';
import { nameOf } from './reference-name.ts';
import { observeAnswers, type S3Head } from './s3-answer.ts';
import { createS3Clients } from './s3-clients.ts';
import { s3Fault } from './s3-faults.ts';
import { bucketOf, parseS3Reference, type S3Object } from './s3-reference.ts';
import { untilWhole, type Progress } from './whole-answer.ts';

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
  /** Of the SDK, before the store counts as away. */
  attempts: number;
  /** As many as fetches run at once. */
  connections: number;
  /** Before a broken answer is asked for again. @default 250 */
  repeatDelayMs?: number;
}

/** The statuses with which S3 names a bucket's region: PermanentRedirect, AuthorizationHeaderMalformed. */
const ELSEWHERE = new Set([301, 307, 400]);

/** No such object is expected: its absence is an answer. */
const PROBE_KEY = '.moderato-probe';

/**
 * Serves `s3://bucket/key` references with the credentials that the AWS SDK finds. The SDK is loaded here, so that
 * only those who configure S3 wait for it. Throws AppError `config_invalid` when no region is known. The fetcher
 * throws `image_uri_invalid`, `image_url_refused`, `image_not_found`, `image_forbidden`, `image_unfetchable`,
 * `image_empty`, `image_too_large` or `image_store_unavailable`.
 */
export async function createS3Fetcher(options: S3FetcherOptions): Promise<OpenFetcher> {
  const { maxBytes, timeoutMs, repeatDelayMs = 250 } = options;
  const { GetObjectCommand, S3Client, S3ServiceException } = await import('@aws-sdk/client-s3');
  const config = clientConfig(options);
  const home = new S3Client(config);
  await requireRegion(home);
  const clients = createS3Clients(home, (other) => new S3Client({ ...config, ...other }));
  const buckets = options.buckets && new Set(options.buckets);

  interface Get extends S3Object {
    name: string;
    signal: AbortSignal;
    head: S3Head;
  }

  async function get({ name, signal, head, ...object }: Get): Promise<Buffer> {
    const { bucket: Bucket, key: Key, versionId: VersionId } = object;
    const command = new GetObjectCommand({ Bucket, Key, VersionId });
    observeAnswers(command, head, signal);
    const client = clients.of(Bucket);
    const answer = await fromLibrary(() => client.send(command, { abortSignal: signal }));
    // On Node the SDK hands out the response itself.
    const body = answer.Body as Readable | undefined;
    if (head.status !== 200 || body === undefined) {
      body?.on('error', () => undefined).destroy();
      throw unfetchable(name, `S3 answered ${head.status} to a request for the whole object`);
    }
    addAbortSignal(signal, body);
    try {
      const chunks = counted(chunksOf(body), head);
      return await readLimited(chunks, { name, maxBytes, announced: answer.ContentLength });
    } finally {
      body.on('error', () => undefined).destroy();
    }
  }

  /** A bucket in another region is asked for there, once. A configured endpoint stays the one that is asked. */
  async function getWhereItIs(object: Get): Promise<Buffer> {
    const { head, bucket } = object;
    const asked = clients.of(bucket);
    try {
      return await get(object);
    } catch (error) {
      if (!(error instanceof LibraryFault) || !ELSEWHERE.has(head.status)) throw error;
      const Region = fieldOf(error.cause, 'Region');
      const region = head.bucketRegion ?? (typeof Region === 'string' ? Region : undefined);
      clients.locate(bucket, region);
      if (clients.of(bucket) === asked) throw error;
      return await get(object);
    }
  }

  /** Throws AppError, or the signal's reason. */
  async function getOnce(
    object: S3Object & { name: string },
    outer: AbortSignal | undefined,
    probed?: boolean,
  ): Promise<Buffer> {
    const { name } = object;
    const dependency = `s3://${object.bucket}`;
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = outer ? AbortSignal.any([outer, deadline]) : deadline;
    const head: S3Head = { dependency, status: 0, bytes: 0, bucketRegion: undefined };
    try {
      return await untilWhole(() => getWhereItIs({ ...object, signal, head }), {
        ...{ name, signal, repeatDelayMs, progress: head },
        probe: probed === true ? () => Promise.resolve(false) : probe,
      });
    } catch (error) {
      outer?.throwIfAborted();
      if (error instanceof AppError) throw error;
      if (deadline.aborted) {
        const why = `not done within ${timeoutMs} ms`;
        throw unavailable(name, { why, dependency, cause: error });
      }
      if (!(error instanceof LibraryFault)) throw error;
      const { cause } = error;
      const isOfS3 = cause instanceof S3ServiceException;
      // The session of a directory bucket is asked for by a command of the SDK's own.
      const status = head.status || (isOfS3 ? (cause.$metadata.httpStatusCode ?? 0) : 0);
      const isOfOtherService = !isOfS3 && hasStatus(cause);
      throw s3Fault({ name, dependency, status, isOfOtherService }, error);
    }
  }

  /**
   * Gets an object rather than the head of the bucket: the answer to HeadBucket has no body that would tell wrong
   * credentials, with which every object fails, from a right that only HeadBucket needs.
   */
  async function probe(dependency: string, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    const bucket = /^s3:\/\/([^/]+)$/.exec(dependency)?.[1];
    if (bucket === undefined || buckets?.has(bucket) === false) return false;
    const object = { name: dependency, bucket, key: PROBE_KEY, versionId: undefined };
    try {
      await getOnce(object, signal, true);
      return true;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return error.disposition !== 'retry';
    }
  }

  return {
    schemes: ['s3'],
    fetch: async (uri, signal) => {
      signal?.throwIfAborted();
      const object = parseS3Reference(uri);
      const name = nameOf(uri);
      if (buckets?.has(object.bucket) === false) throw unlisted(name);
      return await getOnce({ ...object, name }, signal);
    },
    dependencyOf: (uri) => {
      const bucket = bucketOf(uri);
      const isServed = bucket !== undefined && buckets?.has(bucket) !== false;
      return isServed ? { name: `s3://${bucket}` } : undefined;
    },
    probe,
    close: () => {
      clients.close();
      return Promise.resolve();
    },
  };
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  progress: Progress,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    progress.bytes += chunk.length;
    yield chunk;
  }
}

function hasStatus(error: unknown): boolean {
  return fieldOf(fieldOf(error, '$metadata'), 'httpStatusCode') !== undefined;
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

function unlisted(name: string): AppError {
  return new AppError(
    'image_url_refused',
    `fetching image ${name}: its bucket is not among images.s3.buckets`,
  );
}
