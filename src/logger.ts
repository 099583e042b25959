/**
 * Structured logs: JSON lines for machines, one readable line each for a person at a terminal.
 */
import { pino, type DestinationStream } from 'pino';
import pretty from 'pino-pretty';
import { AppError } from './errors.ts';

/** What the rooms log through. The object comes first; an error belongs under its key `err`. */
export interface Logger {
  debug(obj: object, msg: string): void;
  info(obj: object, msg: string): void;
  warn(obj: object, msg: string): void;
  error(obj: object, msg: string): void;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LoggerOptions {
  /** @default 'info' */
  level?: LogLevel;
  /**
   * Lines for a person instead of JSON.
   * @default whether the stream is a terminal
   */
  pretty?: boolean;
  /**
   * `stderr` for a command that prints its results on stdout.
   * @default 'stdout'
   */
  to?: 'stdout' | 'stderr';
  /** Where the lines go instead, for tests. */
  destination?: DestinationStream;
}

const SECRET_KEYS = [
  'password',
  'passphrase',
  'sasl',
  'authorization',
  'secrets',
  'kafkaSaslPassword',
  'registryPassword',
  'cachePassword',
];

/** For callers that were given no logger. */
export const noLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A logger that never writes a secret, wherever in the first three levels of an object it is. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', to = 'stdout' } = options;
  const stream = to === 'stdout' ? process.stdout : process.stderr;
  const readable = options.pretty ?? (options.destination === undefined && stream.isTTY);
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
        censor: '[redacted]',
      },
      serializers: { err: serializeError, error: serializeError, reason: serializeError },
    },
    readable ? prettyStream(to, options.destination) : (options.destination ?? plain(to)),
  );
}

const DESCRIPTORS = { stdout: 1, stderr: 2 } as const;

function plain(to: keyof typeof DESCRIPTORS): DestinationStream {
  return pino.destination({ fd: DESCRIPTORS[to], sync: true });
}

function prettyStream(
  to: keyof typeof DESCRIPTORS,
  destination: DestinationStream | undefined,
): DestinationStream {
  return pretty({
    colorize: destination === undefined && !('NO_COLOR' in process.env),
    sync: true,
    translateTime: 'SYS:HH:MM:ss.l',
    destination: (destination as NodeJS.WritableStream | undefined) ?? DESCRIPTORS[to],
  });
}

interface SerializedError {
  type: string;
  message: string;
  code?: string;
  disposition?: string;
  stack?: string;
  cause?: unknown;
  errors?: unknown[];
}

const DEEPEST_CAUSE = 8;

/** An error with its code, its disposition and the chain of its causes; anything else is kept as it is. */
export function serializeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const code = (error as { code?: unknown }).code;
  const serialized: SerializedError = {
    type: error.name,
    message: withoutCredentials(error.message),
    ...(typeof code === 'string' && { code }),
    ...(error instanceof AppError && { disposition: error.disposition }),
    ...(error.stack !== undefined && { stack: withoutCredentials(error.stack) }),
  };
  if (depth >= DEEPEST_CAUSE) return serialized;
  if (error.cause !== undefined) serialized.cause = serializeError(error.cause, depth + 1);
  if (error instanceof AggregateError) {
    serialized.errors = error.errors.map((each) => serializeError(each, depth + 1));
  }
  return serialized;
}

/** Client libraries put whole URLs in their messages, and a URL may hold a user's password. */
function withoutCredentials(text: string): string {
  return text.replace(/(\w:\/\/)[^\s/@]+@/g, '$1[redacted]@');
}
