import { AppError, messageOf } from '../errors.ts';
import { assertJsonWithin } from './json-bounds.ts';
import { MAX_REGISTRY_ANSWER, MAX_SCHEMA_DEPTH, MAX_SCHEMA_VALUES } from './limits.ts';

export interface RegistryHttpOptions {
  /** The base of the API, for example https://registry.example:8081. */
  url: string;
  username?: string | undefined;
  /** A secret: appears in no message. Needed where there is a username. */
  password?: string | undefined;
  /**
   * How long one request may take, in ms, before the registry counts as unavailable. Raise it for a
   * registry far away.
   * @default 5000
   */
  timeoutMs?: number | undefined;
}

/** An answer of any status but those of an outage. */
export interface RegistryAnswer {
  status: number;
  /** The JSON in it; undefined where it is none, or beyond the limits. */
  body: unknown;
  /** Which limit it breaks; null: none. */
  excess: string | null;
  /** The registry's own error code; null where it says none, so that a proxy may be speaking. */
  code: number | null;
  /** For messages: status and the registry's own words, bounded and on one line. */
  said: string;
}

/**
 * Sends one request and waits for its answer. `doing` begins the messages: `registering …`.
 * Throws AppError `registry_unavailable` when there is none, or a 408, a 429 or a 5xx, and `registry_rejected` for
 * a 401.
 */
export type RegistryRequest = (
  doing: string,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
) => Promise<RegistryAnswer>;

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';
export const CREDENTIALS_REMEDY =
  'check registry.username, MODERATO_REGISTRY_PASSWORD and what that user may do';

/** Throws AppError `config_invalid` when the URL holds credentials. */
export function createRegistryRequest(options: RegistryHttpOptions): RegistryRequest {
  const { url, timeoutMs = 5_000 } = options;
  const base = url.replace(/\/+$/, '');
  const { username: inUrl, password: secretInUrl } = new URL(base);
  if (inUrl !== '' || secretInUrl !== '') {
    throw new AppError(
      'config_invalid',
      'registry.url must not hold credentials: use registry.username and MODERATO_REGISTRY_PASSWORD',
    );
  }
  const authorization = basicAuthorization(options);

  return async (doing, method, path, body) => {
    let status: number;
    let bytes: Buffer | null;
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(base + path, {
        method,
        headers: { accept: MEDIA_TYPE, 'content-type': MEDIA_TYPE, ...authorization },
        body: body === undefined ? null : JSON.stringify(body),
        signal: deadline,
      });
      status = response.status;
      bytes = await bytesOf(response);
    } catch (error) {
      const reason = deadline.aborted ? `no answer in ${timeoutMs} ms` : reasonOf(error);
      throw new AppError(
        'registry_unavailable',
        `${doing}: the schema registry at ${base} does not answer: ${reason}`,
        { cause: error },
      );
    }
    return answerOf({ doing, base, status, bytes });
  };
}

/** Null where there are more than an answer may have. */
async function bytesOf(response: Response): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body = (response.body ?? []) as AsyncIterable<Uint8Array>;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_REGISTRY_ANSWER) return null; // leaving the loop cancels the rest
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

interface RawAnswer {
  doing: string;
  base: string;
  status: number;
  bytes: Buffer | null;
}

function answerOf({ doing, base, status, bytes }: RawAnswer): RegistryAnswer {
  const { body, excess } = parseBody(bytes);
  const { error_code: code, message } = { error_code: null, message: null, ...asObject(body) };
  const said = `the schema registry at ${base} answered ${status}${wordsOf(message)}`;
  if (status === 401) {
    throw new AppError('registry_rejected', `${doing}: ${said}; ${CREDENTIALS_REMEDY}`);
  }
  if (status === 408 || status === 429 || status >= 500) {
    throw new AppError('registry_unavailable', `${doing}: ${said}`);
  }
  return { status, body, excess, code: typeof code === 'number' ? code : null, said };
}

const MOST_WORDS = 300;

function wordsOf(message: unknown): string {
  if (typeof message !== 'string') return '';
  const words = message.slice(0, MOST_WORDS).toWellFormed();
  const clean = words.replace(/[\p{C}\s]+/gu, ' ').trim();
  return clean === '' ? '' : ` (${clean})`;
}

function basicAuthorization({ username, password }: RegistryHttpOptions) {
  if (username === undefined) return {};
  const credentials = Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  return { authorization: `Basic ${credentials}` };
}

/** fetch says only "fetch failed"; what happened is in its cause, but for a 407, which it hides (Fetch standard). */
function reasonOf(error: unknown): string {
  const reason = messageOf(
    error instanceof Error && error.cause !== undefined ? error.cause : error,
  );
  const isSilent = reason === '' || reason === 'Error';
  return isSilent ? 'fetch gives no reason, as where a proxy wants credentials (407)' : reason;
}

function parseBody(bytes: Buffer | null): Pick<RegistryAnswer, 'body' | 'excess'> {
  if (bytes === null) return { body: undefined, excess: `more than ${MAX_REGISTRY_ANSWER} bytes` };
  try {
    assertJsonWithin(bytes, { depth: MAX_SCHEMA_DEPTH, values: MAX_SCHEMA_VALUES });
  } catch (error) {
    return { body: undefined, excess: messageOf(error) };
  }
  try {
    return { body: JSON.parse(bytes.toString()) as unknown, excess: null };
  } catch {
    return { body: undefined, excess: null };
  }
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
