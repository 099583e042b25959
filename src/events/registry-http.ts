import { AppError, messageOf } from '../errors.ts';

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

/** An answer worth telling apart; `code` is the registry's own error code. */
export type RegistryAnswer =
  { found: true; body: Record<string, unknown> } | { found: false; code: number };

/**
 * Sends one request and waits for its JSON. `doing` begins the messages: `registering …`.
 * Throws AppError `registry_unavailable` or `registry_rejected`.
 */
export type RegistryRequest = (
  doing: string,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
) => Promise<RegistryAnswer>;

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';

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
    let response: Response;
    let text: string;
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      response = await fetch(base + path, {
        method,
        headers: { accept: MEDIA_TYPE, 'content-type': MEDIA_TYPE, ...authorization },
        body: body === undefined ? null : JSON.stringify(body),
        signal: deadline,
      });
      text = await response.text();
    } catch (error) {
      const reason = deadline.aborted ? `no answer in ${timeoutMs} ms` : reasonOf(error);
      throw new AppError(
        'registry_unavailable',
        `${doing}: the schema registry at ${base} does not answer: ${reason}`,
        { cause: error },
      );
    }
    return answerOf({ doing, base, status: response.status, text });
  };
}

function answerOf(response: { doing: string; base: string; status: number; text: string }) {
  const { doing, base, status } = response;
  const body = parseObject(response.text);
  if (status >= 200 && status < 300 && body !== null) return { found: true, body } as const;

  const code = body !== null && typeof body['error_code'] === 'number' ? body['error_code'] : null;
  // 404xx is the registry speaking; any other 404 comes from a proxy or a wrong path, and says nothing.
  if (status === 404 && code !== null && code >= 40_400 && code < 40_500) {
    return { found: false, code } as const;
  }
  const said = body !== null && typeof body['message'] === 'string' ? body['message'] : '';
  const answer = `the schema registry at ${base} answered ${status}${said && ` (${said.slice(0, 300)})`}`;
  if (status === 401 || status === 403) {
    throw new AppError(
      'registry_rejected',
      `${doing}: ${answer}; check registry.username, MODERATO_REGISTRY_PASSWORD and what that user may do`,
    );
  }
  if (status === 409) {
    throw new AppError(
      'registry_rejected',
      `${doing}: ${answer}; the schema breaks the subject's compatibility level: use another topic or relax that level`,
    );
  }
  if (status === 400 || status === 422) {
    throw new AppError('registry_rejected', `${doing}: ${answer}`);
  }
  throw new AppError(
    'registry_unavailable',
    `${doing}: ${answer}, which is no answer of a schema registry's API; is registry.url right?`,
  );
}

function basicAuthorization({ username, password }: RegistryHttpOptions) {
  if (username === undefined) return {};
  const credentials = Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  return { authorization: `Basic ${credentials}` };
}

/** fetch says only "fetch failed"; what happened is in its cause. */
function reasonOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
