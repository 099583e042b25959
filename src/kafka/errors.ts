import { AppError, type ErrorCode } from '../errors.ts';

/** What kafkajs puts on its errors, beside what any Error has. */
interface KafkaFault extends Error {
  /** The protocol error's name, for example MESSAGE_TOO_LARGE. */
  type?: unknown;
  /** Of a socket error, for example ECONNREFUSED. */
  code?: unknown;
  retriable?: unknown;
  originalError?: unknown;
  errors?: unknown;
}

const TOPIC_MISSING = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INVALID_TOPIC_EXCEPTION',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSMetadataNotLoaded',
]);

const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

const REFUSED = new Set([
  'KafkaJSSASLAuthenticationError',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
  'SECURITY_DISABLED',
]);

const BROKEN_SEQUENCE = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
]);

const UNTRUSTED = /certificate|self.signed|unable to verify|ERR_TLS|EPROTO/i;

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
      !BROKEN_SEQUENCE.has(String(fault.type)),
  );
}

/** True for an outage of a broker that may pass; false for a refusal, and for an error of our own making. */
export function isTransient(error: unknown): boolean {
  const known = kafkaError(error, 'asking a broker');
  return known instanceof AppError && known.code === 'kafka_unavailable' && isPassing(error);
}

/**
 * The AppError for what kafkajs threw: `topic_missing`, `kafka_unauthorized`, `record_too_large`, else
 * `kafka_unavailable`. An error that is not kafkajs's is returned as it is: nobody foresaw it.
 *
 * @param doing - what was being done, for the message: `subscribing to images`
 */
export function kafkaError(error: unknown, doing: string): Error {
  if (error instanceof AppError) return error;
  const faults = [...causes(error)];
  if (!faults.some(({ name }) => name.startsWith('KafkaJS'))) {
    return error instanceof Error ? error : new Error(`${doing}: ${String(error)}`);
  }
  const { code, fault } = classify(faults);
  return new AppError(code, `${doing}: ${messageFor(fault)}; ${remedyFor(code, fault)}`, {
    cause: error,
  });
}

function classify(faults: KafkaFault[]): { code: ErrorCode; fault: KafkaFault } {
  for (const fault of faults) {
    const tags = [fault.name, typeof fault.type === 'string' ? fault.type : ''];
    const is = (set: Set<string>): boolean => tags.some((tag) => set.has(tag));
    if (is(TOPIC_MISSING)) return { code: 'topic_missing', fault };
    if (is(TOO_LARGE)) return { code: 'record_too_large', fault };
    if (is(REFUSED) || tags.some((tag) => tag.endsWith('_AUTHORIZATION_FAILED'))) {
      return { code: 'kafka_unauthorized', fault };
    }
  }
  const innermost = faults.at(-1) as KafkaFault;
  return { code: 'kafka_unavailable', fault: innermost };
}

function messageFor(fault: KafkaFault): string {
  return typeof fault.type === 'string' ? `${fault.message} (${fault.type})` : fault.message;
}

function remedyFor(code: ErrorCode, fault: KafkaFault): string {
  switch (code) {
    case 'topic_missing':
      return 'create the topic (moderato topics create) or correct its name in topics';
    case 'record_too_large':
      return "raise the topic's max.message.bytes";
    case 'kafka_unauthorized':
      return fault.name === 'KafkaJSSASLAuthenticationError' || fault.type === undefined
        ? 'check kafka.sasl and the password'
        : 'grant this user the access';
    default:
      if (typeof fault.type === 'string')
        return "see the error's name in the broker's documentation";
      return UNTRUSTED.test(`${fault.message} ${String(fault.code)}`)
        ? "check kafka.tls: kafka.tls.ca names the file with the broker's CA certificate"
        : 'check that kafka.brokers are up, reachable, and speak what kafka.tls says';
  }
}
