import { createRequire } from 'node:module';
import { AppError } from '../errors.ts';
import type { KafkaResource } from './acl.ts';
import { REMEDIES, UNKNOWN_ANSWER, UNKNOWN_TROUBLE, type Remedy } from './remedies.ts';

/** What kafkajs puts on its errors, beside what any Error has. */
interface KafkaFault extends Error {
  /** The protocol error's name, for example MESSAGE_TOO_LARGE. */
  type?: unknown;
  /** The code of a socket error, for example ECONNREFUSED. */
  code?: unknown;
  retriable?: unknown;
  originalError?: unknown;
  errors?: unknown;
  /** What the request was about (refusals.ts). */
  resource?: KafkaResource;
}

const BROKEN_SEQUENCE = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
]);

/** An error and all that it was caused by, outermost first. */
export function* causes(error: unknown): Generator<KafkaFault> {
  const seen = new Set<unknown>();
  const queue = [error];
  for (const each of queue) {
    if (!isFault(each) || seen.has(each)) continue;
    seen.add(each);
    yield each;
    queue.push(each.cause, each.originalError);
    if (Array.isArray(each.errors)) queue.push(...(each.errors as unknown[]));
  }
}

/** Not `instanceof Error`: a socket's error may be of another realm. */
function isFault(value: unknown): value is KafkaFault {
  return typeof value === 'object' && value !== null && 'name' in value && 'message' in value;
}

/** The name of the protocol error that a broker answered with; undefined when no broker answered. */
export function protocolType(error: unknown): string | undefined {
  for (const { name, type } of causes(error)) {
    if (name.startsWith('KafkaJS') && typeof type === 'string') return type;
  }
  return undefined;
}

/**
 * True when the same request may succeed later: the broker was not reached, or asked for another try. False
 * when it answered with a refusal. A broken sequence counts as passing, since a new producer begins a new one.
 */
export function isPassing(error: unknown): boolean {
  return ![...causes(error)].some(
    (fault) =>
      fault.name === 'KafkaJSProtocolError' &&
      fault.retriable === false &&
      remedyOf(fault)?.waitingFor === undefined &&
      !BROKEN_SEQUENCE.has(String(fault.type)),
  );
}

/** True for an outage of a broker that may pass; false for a refusal, and for an error of our own making. */
export function isTransient(error: unknown): boolean {
  const known = kafkaError(error, 'asking a broker');
  return known instanceof AppError && known.code === 'kafka_unavailable' && isPassing(error);
}

/** What is waited for when an error passes by itself: a coordinator that is loading, a leader that moves. */
export function waitingFor(error: unknown): string | undefined {
  return classify([...causes(error)])?.remedy.waitingFor;
}

/**
 * The AppError for what kafkajs threw: `topic_missing`, `kafka_unauthorized`, `record_too_large`, else
 * `kafka_unavailable`. An error that is not from kafkajs is unforeseen and returned as it is.
 *
 * @param doing - what was being done, for the message: `subscribing to images`
 * @param resource - what the request was about, for the command that grants a missing right; completes what the error
 * itself knows of its request
 */
export function kafkaError(error: unknown, doing: string, resource: KafkaResource = {}): Error {
  if (error instanceof AppError) return error;
  const faults = [...causes(error)];
  const innermost = faults.at(-1);
  if (innermost === undefined || !faults.some(isFromKafkajs)) {
    return error instanceof Error ? error : new Error(`${doing}: ${String(error)}`);
  }
  const { fault, remedy } = classify(faults) ?? {
    fault: innermost,
    remedy: typeof innermost.type === 'string' ? UNKNOWN_ANSWER : UNKNOWN_TROUBLE,
  };
  const { code, advice } = remedy;
  const text = typeof advice === 'string' ? advice : advice(merged(resource, fault.resource));
  return new AppError(code, `${doing}: ${messageFor(fault)}; ${text}`, { cause: error });
}

/** The fault that decides: one that needs action before an outage, an outage before what passes by itself. */
function classify(faults: KafkaFault[]): { fault: KafkaFault; remedy: Remedy } | undefined {
  const known = faults.flatMap((fault) => {
    const remedy = remedyOf(fault);
    return remedy ? [{ fault, remedy }] : [];
  });
  return (
    known.find(({ remedy }) => remedy.code !== 'kafka_unavailable') ??
    known.find(({ remedy }) => remedy.waitingFor === undefined) ??
    known[0]
  );
}

/** Errors of kafkajs that only their message tells from others. */
const BY_MESSAGE: ReadonlyMap<string, string> = new Map([
  ['Connection timeout', 'CONNECTION_TIMEOUT'],
  ['Broker not connected', 'BROKER_NOT_CONNECTED'], // a plain Error, after the first request had no answer
]);

function isFromKafkajs({ name, message }: KafkaFault): boolean {
  return name.startsWith('KafkaJS') || BY_MESSAGE.has(message);
}

function remedyOf({ type, code, name, message }: KafkaFault): Remedy | undefined {
  for (const tag of [type, code, BY_MESSAGE.get(message), name]) {
    const remedy = typeof tag === 'string' ? REMEDIES.get(tag) : undefined;
    if (remedy) return remedy;
  }
  return undefined;
}

function messageFor({ message, type }: KafkaFault): string {
  return typeof type === 'string' ? `${message} (${type})` : message;
}

/** What the error knows of its request counts more than what the caller knows. */
function merged(given: KafkaResource, noted: KafkaResource = {}): KafkaResource {
  return {
    topic: noted.topic ?? given.topic,
    group: noted.group ?? given.group,
    transactionalId: noted.transactionalId ?? given.transactionalId,
    principal: noted.principal ?? given.principal,
    operation: noted.operation ?? given.operation,
  };
}

const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error;
};

/** The error that a code of the protocol stands for, as kafkajs throws it. */
export function protocolError(code: number): Error {
  return createErrorFromCode(code);
}
