import { readFileSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import type { Config, Secrets } from '../config-schema.ts';
import { AppError, messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import {
  noCache,
  type CacheFault,
  type EmbeddingCache,
  type EmbeddingSpace,
} from './embedding-cache.ts';
import { createLayeredCache } from './layered-cache.ts';
import { createMemoryCache } from './memory-cache.ts';
import { createRedisCache } from './redis-cache.ts';

export interface CacheParts {
  space: EmbeddingSpace;
  clock: Clock;
  logger: Logger;
  /** Told of each thing that the shared store did not do. */
  onFault?: (fault: CacheFault) => void;
}

/**
 * What the configuration asks for. A shared store is connected to in the background; that it is not there is no
 * error. Throws AppError `config_invalid` when the authority's certificate cannot be read.
 */
export function createEmbeddingCache(
  config: Config['dedupe'],
  secrets: Secrets,
  { space, clock, logger, onFault }: CacheParts,
): EmbeddingCache {
  const { maxBytes, nearDistance } = config;
  if (maxBytes === 0) return noCache;
  const memory = createMemoryCache({ maxBytes, nearDistance });
  if (config.shared === undefined) return memory;
  const { ca, ...store } = config.shared;
  const shared = createRedisCache({
    ...store,
    password: secrets.cachePassword,
    ca: ca === undefined ? undefined : readPem(ca),
    space,
    clock,
    logger,
    onFault,
  });
  return createLayeredCache({ memory, shared, onFault });
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AppError('config_invalid', `reading dedupe.shared.ca: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
