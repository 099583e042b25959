/**
 * The one way to Kafka: every client of this process is made from what `createKafka` returns. This room
 * knows how to reach a broker and what its errors mean; it knows nothing of records and verdicts.
 */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import type { Config, Secrets } from '../config-schema.ts';
import { AppError, messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { registerCodecs } from './codecs.ts';
import { Connections } from './connections.ts';
import { installFetchDecoder } from './fetch/install.ts';
import { kafkaLogCreator } from './kafka-logger.ts';
import { explainRefusals } from './refusals.ts';
import { createSocketFactory } from './socket-factory.ts';

/**
 * How long before the end of a SASL session (`connections.max.reauth.ms`) a connection authenticates again, in ms. A
 * broker refuses to do so twice within a second (KIP-368), which is all that a session of kafkajs' default of 10 s has.
 */
const REAUTHENTICATE_BEFORE_MS = 1_000;

/**
 * How long a broker may take for an answer, in ms, beyond what the request itself waits for. Less than the group's
 * session: what a broker that is frozen leaves unanswered is asked of another in time.
 */
const REQUEST_TIMEOUT_MS = 8_000;

/** A connection to a cluster as configured, to be passed to the functions of this room. */
export type KafkaClient = Kafka;

export interface KafkaTuning {
  /**
   * Attempts after the first before a request is given up. The waits double from 0.2 s to 5 s.
   * @default 8, which is 20 s: enough for a broker to restart. Lower it where a person waits for the answer; at least 1,
   * without which kafkajs makes no idempotent producer.
   */
  retries?: number;
}

/**
 * A kafkajs client as configured; connects to nothing yet. Reads the certificate files.
 * Throws AppError `config_invalid` when one cannot be read or the SASL password is missing.
 */
export function createKafka(
  config: Config['kafka'],
  secrets: Secrets,
  logger: Logger,
  { retries = 8 }: KafkaTuning = {},
): KafkaClient {
  registerCodecs();
  installFetchDecoder({
    maxBatchBytes: config.maxBatchBytes,
    maxRecordBytes: config.maxRecordBytes,
  });
  explainRefusals();
  const ssl = sslOptions(config.tls);
  const sasl = config.sasl && saslOptions(config.sasl, secrets);
  const connections = new Connections();
  const kafka = new Kafka({
    brokers: () => connections.byLife(config.brokers),
    clientId: config.clientId,
    ...(ssl !== undefined && { ssl }),
    ...(sasl && { sasl }),
    connectionTimeout: 5_000,
    authenticationTimeout: 10_000,
    reauthenticationThreshold: REAUTHENTICATE_BEFORE_MS,
    socketFactory: connections.watched(createSocketFactory({ sasl: sasl !== undefined })),
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Every one is given: kafkajs takes other defaults when NODE_ENV is `test`.
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, factor: 0.2, multiplier: 2, retries },
    logLevel: logLevel.INFO,
    logCreator: kafkaLogCreator(logger),
  });
  connectionsOf.set(kafka, connections);
  return kafka;
}

const connectionsOf = new WeakMap<KafkaClient, Connections>();

/** Hangs up whatever is still connected for `kafka`, for good. Nothing of it holds the process any longer. */
export function closeKafka(kafka: KafkaClient): void {
  connectionsOf.get(kafka)?.close();
}

function sslOptions(tls: Config['kafka']['tls']): ConnectionOptions | true | undefined {
  if (typeof tls === 'boolean') return tls ? true : undefined;
  return {
    ...(tls.ca !== undefined && { ca: [readPem('ca', tls.ca)] }),
    ...(tls.cert !== undefined && { cert: readPem('cert', tls.cert) }),
    ...(tls.key !== undefined && { key: readPem('key', tls.key) }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
  };
}

function readPem(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AppError('config_invalid', `reading kafka.tls.${key}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function saslOptions(
  { mechanism, username }: NonNullable<Config['kafka']['sasl']>,
  { kafkaSaslPassword: password }: Secrets,
): SASLOptions {
  if (password === undefined) {
    throw new AppError(
      'config_invalid',
      `kafka.sasl names the user ${username}, but there is no password: set MODERATO_KAFKA_SASL_PASSWORD or MODERATO_KAFKA_SASL_PASSWORD_FILE`,
    );
  }
  return { mechanism, username, password };
}
