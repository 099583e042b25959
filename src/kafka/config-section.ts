/** The `kafka` section of the configuration. Every key is documented in docs/configuration.md. */
import { z } from 'zod';
import { DEFAULT_LIMITS } from './fetch/limits.ts';

const count = z.int().positive();
const path = z.string().min(1);

export const kafkaSection = z
  .strictObject({
    brokers: z.array(z.string().regex(/^[^\s:]+:\d+$/, 'expected host:port')).min(1),
    clientId: z.string().min(1).default('moderato'),
    groupId: z.string().min(1).default('moderato'),
    /** Where a group without committed offsets begins. */
    startFrom: z.enum(['earliest', 'latest']).default('earliest'),
    tls: z
      .strictObject({
        ca: path.optional(),
        cert: path.optional(),
        key: path.optional(),
        serverName: z.string().optional(),
      })
      .or(z.boolean())
      .default(false),
    /** The password is a secret: MODERATO_KAFKA_SASL_PASSWORD or MODERATO_KAFKA_SASL_PASSWORD_FILE. */
    sasl: z
      .strictObject({
        mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
        username: z.string().min(1),
      })
      .optional(),
    /** group.instance.id: a restart within the session keeps the partitions; every process needs its own. */
    instanceId: z.string().min(1).max(200).optional(),
    sessionTimeoutMs: count.default(10_000),
    rebalanceTimeoutMs: count.default(60_000),
    heartbeatIntervalMs: count.default(1_000),
    maxWaitMs: count.default(200),
    maxFetchBytes: count.default(8 * 1024 * 1024),
    /** Max bytes the records of one compressed batch may expand to, for the whole process. */
    maxBatchBytes: count.default(DEFAULT_LIMITS.maxBatchBytes),
    /** Max bytes of one record's key and value; a larger record becomes a dead letter without its value. */
    maxRecordBytes: count.default(DEFAULT_LIMITS.maxRecordBytes),
    commitIntervalMs: count.default(1_000),
    /** How often partitions that were added to the input topic are looked for. */
    discoveryIntervalMs: count.default(30_000),
  })
  .refine((kafka) => kafka.heartbeatIntervalMs * 3 <= kafka.sessionTimeoutMs, {
    error: 'must be at most a third of sessionTimeoutMs',
    path: ['heartbeatIntervalMs'],
  })
  .refine((kafka) => kafka.maxRecordBytes <= kafka.maxBatchBytes, {
    error: 'must be at most maxBatchBytes: a batch holds at least one record',
    path: ['maxRecordBytes'],
  });
