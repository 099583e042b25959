import { AppError } from '../errors.ts';
import { schemaFingerprint } from './fingerprint.ts';
import { toJsonText } from './json.ts';
import { notFinite } from './not-finite.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import { CONTRACTS, type Contract } from './schemas.ts';
import type { DeadLetter, Embedding, ImageEvent, Verdict } from './types.generated.ts';

/** json; avro: single-object encoding; confluent: wire format with the schema registry's ids. */
export type WireFormat = 'json' | 'avro' | 'confluent';

export interface EncodedMessage {
  value: Buffer;
  /** For the `content-type` header: `application/json` or `application/avro`. */
  contentType: string;
}

/**
 * Each takes the topic the message is for, since Confluent wire format registers its schema under
 * `<topic>-value`. Throws AppError `registry_unavailable` or `registry_rejected` in that format, and
 * TypeError for a message that does not fit its schema, which is a defect of whoever made it.
 */
export interface MessageEncoder {
  encodeImageEvent(event: ImageEvent, topic: string): Promise<EncodedMessage>;
  encodeVerdict(verdict: Verdict, topic: string): Promise<EncodedMessage>;
  encodeDeadLetter(deadLetter: DeadLetter, topic: string): Promise<EncodedMessage>;
  encodeEmbedding(embedding: Embedding, topic: string): Promise<EncodedMessage>;
}

export interface MessageEncoderOptions {
  format: WireFormat;
  /** Needed for `confluent`. */
  registry?: SchemaRegistry | undefined;
  /**
   * The subject a topic's schema is registered under; change it where the registry follows another
   * naming strategy.
   * @default `<topic>-value` (TopicNameStrategy)
   */
  subjectOf?: ((topic: string) => string) | undefined;
}

/** Throws AppError `config_invalid` for format `confluent` without a registry. */
export function createMessageEncoder(options: MessageEncoderOptions): MessageEncoder {
  const encode = createEncode(options);
  return {
    encodeImageEvent: (event, topic) => encode(CONTRACTS.imageEvent, event, topic),
    encodeVerdict: (verdict, topic) => encode(CONTRACTS.verdict, verdict, topic),
    encodeDeadLetter: (deadLetter, topic) => encode(CONTRACTS.deadLetter, deadLetter, topic),
    encodeEmbedding: (embedding, topic) => encode(CONTRACTS.embedding, embedding, topic),
  };
}

type Encode = (contract: Contract, message: object, topic: string) => Promise<EncodedMessage>;

function createEncode({ format, registry, subjectOf }: MessageEncoderOptions): Encode {
  if (format === 'json') {
    return (contract, message) => {
      const exact = assertFits(contract, message);
      const value = Buffer.from(toJsonText(contract.type, message, exact));
      return Promise.resolve({ value, contentType: 'application/json' });
    };
  }
  const headerOf = format === 'avro' ? singleObjectHeader : confluentHeader(registry, subjectOf);
  return async (contract, message, topic) => {
    assertFits(contract, message);
    const header = headerOf(contract, topic);
    const known = Buffer.isBuffer(header) ? header : await header;
    return {
      value: Buffer.concat([known, contract.type.toBuffer(message)]),
      contentType: 'application/avro',
    };
  };
}

type HeaderOf = (contract: Contract, topic: string) => Buffer | Promise<Buffer>;

const singleObjectHeaders = new Map<Contract, Buffer>();

/** C3 01 and the schema's fingerprint (Avro specification, "Single-object encoding"). */
function singleObjectHeader(contract: Contract): Buffer {
  const header =
    singleObjectHeaders.get(contract) ??
    Buffer.concat([Buffer.from([0xc3, 0x01]), schemaFingerprint(contract.type)]);
  singleObjectHeaders.set(contract, header);
  return header;
}

/** A zero byte and the registry's schema id, big-endian. */
function confluentHeader(
  registry: SchemaRegistry | undefined,
  subjectOf = (topic: string) => `${topic}-value`,
): HeaderOf {
  if (!registry) {
    throw new AppError(
      'config_invalid',
      'output.format confluent needs a schema registry: set registry.url',
    );
  }
  const headers = new Map<string, Promise<Buffer>>();
  const register = async (subject: string, { text }: Contract) => {
    const header = Buffer.alloc(5);
    header.writeInt32BE(await registry.register(subject, text), 1);
    return header;
  };
  return (contract, topic) => {
    const key = `${topic} ${contract.title}`;
    const known = headers.get(key);
    if (known) return known;
    const registered = register(subjectOf(topic), contract);
    headers.set(key, registered);
    // A failure is told to everybody who waits for it and then forgotten, so that the next message tries again.
    registered.catch(() => headers.delete(key));
    return registered;
  };
}

const NOTHING_ELSE = { noUndeclaredFields: true };

/**
 * Throws TypeError for a message that does not fit; true when it has no fields beside the contract's.
 * avsc would write NaN, and JSON null in its place: neither is a message of ours.
 */
function assertFits({ title, type }: Contract, message: object): boolean {
  const exact = type.isValid(message, NOTHING_ELSE);
  const paths: string[] = [];
  if (!exact && !type.isValid(message, { errorHook: (path) => paths.push(path.join('.')) })) {
    throw new TypeError(`encoding ${title}: does not fit its schema at ${paths.join(', ')}`);
  }
  const at = notFinite(type, message);
  if (at !== null) throw new TypeError(`encoding ${title}: not a finite number at ${at}`);
  return exact;
}
