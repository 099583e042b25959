import { Redis } from 'ioredis';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CacheFault, EmbeddingCache, EmbeddingSpace } from './embedding-cache.ts';
import { decodeImage, encodeImage, FORMAT_VERSION } from './image-codec.ts';

export interface RedisCacheOptions {
  /** `redis://host:port/db` or, with TLS, `rediss://…`; without credentials. */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /** PEM of the authority to trust instead of the system's, for `rediss://`. */
  ca?: string | undefined;
  /** How long an image is kept, counted from its inspection. */
  ttlSeconds: number;
  /** How long one answer is waited for, in ms; connecting may take longer, and nobody waits for it. */
  timeoutMs: number;
  space: EmbeddingSpace;
  clock: Clock;
  logger: Logger;
  onFault?: ((fault: CacheFault) => void) | undefined;
}

/** Larger values are neither kept nor read: foreign ones could be 512 MB. */
const MAX_VALUE_BYTES = 1024 * 1024;
const FAILURES_IN_A_ROW = 5;
const REST_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;
const LONGEST_RECONNECT_MS = 5_000;

/**
 * Images in Redis, Valkey or whatever speaks their protocol, shared by all instances. Trouble with the store is
 * counted, told once in the log, and otherwise looks like an image that is not there: whoever asks never waits longer
 * than the timeout, and not at all while the store is known to be away.
 */
export function createRedisCache(options: RedisCacheOptions): EmbeddingCache {
  const { space, ttlSeconds, logger, onFault } = options;
  const redis = connect(options);
  const reading = breaker('read', options);
  const writing = breaker('write', options);
  let unreadable = false;

  const keyOf = (sha256: string): string =>
    `moderato:${FORMAT_VERSION}:${space.modelHash}:${space.preprocessing}:${sha256}`;
  const ready = (): boolean => redis.status === 'ready';

  return {
    isOn: true,
    wantsPdq: false,
    find: async (sha256) => {
      if (!ready()) return null;
      const key = keyOf(sha256);
      // GETRANGE bounds what a foreign value can take of our memory; it answers nothing for a missing key.
      const value = await reading.ask(() => redis.getrangeBuffer(key, 0, MAX_VALUE_BYTES - 1));
      if (value === undefined || value.length === 0) return null;
      const image = decodeImage(key, value, space.dimensions);
      if (image) return { image, by: 'sha256', store: 'shared', distance: 0, sha256 };
      onFault?.('unreadable');
      if (!unreadable) {
        logger.warn({ key }, 'shared cache: a value is corrupt or not ours; taken as missing');
      }
      unreadable = true;
      return null;
    },
    findNear: () => null,
    keep: async (sha256, image) => {
      if (!ready()) return;
      const key = keyOf(sha256);
      const value = encodeImage(key, image);
      if (value.length > MAX_VALUE_BYTES) return;
      await writing.ask(() => redis.set(key, value, 'EX', ttlSeconds));
    },
    size: () => ({ entries: 0, bytes: 0 }),
    close: () => {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}

function connect({
  url,
  username,
  password,
  ca,
  timeoutMs,
  logger,
  onFault,
}: RedisCacheOptions): Redis {
  const { protocol, hostname, port, pathname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const redis = new Redis({
    host,
    port: port === '' ? 6379 : Number(port),
    db: Number(pathname.slice(1)),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(protocol === 'rediss:' && { tls: ca === undefined ? {} : { ca } }),
    connectionName: 'moderato',
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: timeoutMs,
    // How long closing waits for the other side, and keeps the process alive meanwhile.
    disconnectTimeout: 100,
    // A connection on which nothing comes back is made anew.
    socketTimeout: Math.max(CONNECT_TIMEOUT_MS, 4 * timeoutMs),
    enableOfflineQueue: false,
    // It needs INFO; a store that is still loading refuses, which is as good as not being there.
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // After a failover the name leads to another server, the open connection to one that was the primary.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    retryStrategy: (attempt) => Math.min(100 * attempt, LONGEST_RECONNECT_MS),
  });
  let away = false;
  redis.on('error', (error) => {
    onFault?.('connection');
    if (!away) logger.warn({ err: error, url }, 'shared cache: no connection; going on without it');
    away = true;
  });
  redis.on('ready', () => {
    if (away) logger.info({ url }, 'shared cache: connected; used again');
    away = false;
  });
  return redis;
}

function breaker(
  kind: 'read' | 'write',
  { url, clock, logger, onFault }: RedisCacheOptions,
): CircuitBreaker {
  const doing = kind === 'read' ? 'reading' : 'writing';
  return new CircuitBreaker({
    clock,
    failures: FAILURES_IN_A_ROW,
    restMs: REST_MS,
    onFailure: () => onFault?.(kind),
    onOpen: (error) =>
      logger.warn({ err: error, url }, `shared cache: ${doing} fails; going on without it`),
    onClose: () => logger.info({ url }, `shared cache: ${doing} works again`),
  });
}
