/** Errors as kafkajs itself throws them; its type declarations know only part of their constructors. */
import * as kafkajs from 'kafkajs';

type Make = new (error: unknown, details?: object) => Error;

const classes = kafkajs as unknown as Record<
  | 'KafkaJSProtocolError'
  | 'KafkaJSNumberOfRetriesExceeded'
  | 'KafkaJSNonRetriableError'
  | 'KafkaJSSASLAuthenticationError'
  | 'KafkaJSAggregateError'
  | 'KafkaJSConnectionError',
  Make
>;

/** What the broker answered, by its name in the protocol. */
export function protocolError(type: string, retriable = false): Error {
  const answer = { message: `the broker says ${type}`, type, code: 1, retriable };
  return new classes.KafkaJSProtocolError(answer);
}

/** `error`, after kafkajs has tried again as often as it was allowed to. */
export function retriesExceeded(error: Error): Error {
  return new classes.KafkaJSNumberOfRetriesExceeded(error, { retryCount: 8, retryTime: 5_000 });
}

export function nonRetriable(message: string, cause?: Error): Error {
  return new classes.KafkaJSNonRetriableError(message, { cause });
}

export function authenticationError(message: string): Error {
  return new classes.KafkaJSSASLAuthenticationError(message);
}

export function connectionError(message: string, code?: string): Error {
  return new classes.KafkaJSConnectionError(`Connection error: ${message}`, {
    broker: '127.0.0.1:9092',
    ...(code !== undefined && { code }),
  });
}

export function aggregateError(errors: Error[]): Error {
  return new classes.KafkaJSAggregateError('several errors', errors);
}
