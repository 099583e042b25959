import type { z } from 'zod';
import { AppError } from '../errors.ts';
import {
  ID_ANSWER,
  LEVEL_ANSWER,
  SCHEMA_ANSWER,
  shapeFault,
  type SchemaAnswer,
} from './registry-answers.ts';
import {
  createRegistryRequest,
  CREDENTIALS_REMEDY,
  type RegistryAnswer,
  type RegistryHttpOptions,
  type RegistryRequest,
} from './registry-http.ts';
import type { SchemaRegistry } from './schema-registry.ts';

const MAX_REFERENCES = 32;
const SUBJECT_NOT_FOUND = 40_401;

/**
 * The Confluent Schema Registry REST API, v7 and the GUIDs of v8, over fetch. Keeps nothing and retries nothing:
 * callers cache, and the holder of the record decides when to try again.
 * Throws AppError `config_invalid` when the URL holds credentials.
 */
export function createSchemaRegistry(options: RegistryHttpOptions): SchemaRegistry {
  const request = createRegistryRequest(options);

  /** The schema at `path` in `texts`, after everything it refers to, so that names are known when they are used. */
  async function collect(path: string, doing: string, seen: Set<string>, texts: string[]) {
    const answer = await request(doing, 'GET', path);
    const { schema, schemaType, references } = await schemaIn(answer, doing, request);
    for (const { subject, version } of references ?? []) {
      const referred = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      if (seen.has(referred)) continue;
      if (seen.size >= MAX_REFERENCES) {
        throw unknown(`${doing}: it refers to more than ${MAX_REFERENCES} schemas`);
      }
      seen.add(referred);
      await collect(referred, `${doing}: it refers to ${subject} version ${version}`, seen, texts);
    }
    if (schemaType && schemaType !== 'AVRO') {
      throw new AppError(
        'event_schema_incompatible',
        `${doing}: it is not an Avro schema but ${schemaType.slice(0, 60)}`,
      );
    }
    texts.push(schema);
  }

  return {
    async schemaOf(id) {
      const texts: string[] = [];
      const path = typeof id === 'number' ? `/schemas/ids/${id}` : `/schemas/guids/${id}`;
      await collect(path, `looking up schema ${id}`, new Set(), texts);
      return { schema: texts.pop() ?? '', references: texts };
    },

    async register(subject, schema) {
      const doing = `registering the schema of subject ${subject}`;
      const path = `/subjects/${encodeURIComponent(subject)}`;
      // Looked up first: credentials that may only read are enough once the schema is there.
      const known = await request(doing, 'POST', path, { schema });
      if (isSuccess(known)) return idIn(known, doing);
      if (known.status !== 404 || isWrongPath(known)) throw rejected(known, doing);
      if (known.code === SUBJECT_NOT_FOUND) {
        const level = LEVEL_ANSWER.safeParse((await request(doing, 'GET', '/config')).body);
        if (level.data?.compatibilityLevel === 'NONE') {
          await request(doing, 'PUT', `/config/${encodeURIComponent(subject)}`, {
            compatibility: 'BACKWARD',
          });
        }
      }
      const registered = await request(doing, 'POST', `${path}/versions`, { schema });
      if (isSuccess(registered)) return idIn(registered, doing);
      throw rejected(registered, doing);
    },
  };
}

/**
 * The schema in an answer. An answer without one is the record's fault, which named the id, when it is the
 * registry's own or the registry answers another request well; otherwise the registry is out of reach, or its URL
 * or our credentials are wrong.
 */
async function schemaIn(
  answer: RegistryAnswer,
  doing: string,
  request: RegistryRequest,
): Promise<SchemaAnswer> {
  const { status, body, excess, said } = answer;
  if (excess !== null) throw unknown(`${doing}: ${said}, which is beyond our limits: ${excess}`);
  if (isSuccess(answer)) {
    return parsed(SCHEMA_ANSWER, answer, (fault) => unknown(`${doing}: ${fault}`));
  }
  if (status === 403) {
    if (await isRefusedAltogether(request, doing)) throw rejected(answer, doing);
  } else if (body === undefined || isWrongPath(answer)) {
    const probe = await request(doing, 'GET', '/schemas/types');
    if (!isSuccess(probe)) throw notTheApi(answer, doing);
  }
  throw unknown(`${doing}: ${said}; was the record published with another registry?`);
}

/** The registry's own error codes begin with the status: 40403. A bare 404 says nothing of the id. */
function isWrongPath({ status, code }: RegistryAnswer): boolean {
  return status === 404 && Math.floor((code ?? 0) / 100) !== 404;
}

/**
 * Whether the registry refuses whatever we ask, and not only one schema. `/subjects` needs the right to list,
 * `/schemas/types` none beyond being known.
 */
async function isRefusedAltogether(request: RegistryRequest, doing: string): Promise<boolean> {
  for (const path of ['/subjects', '/schemas/types']) {
    if ((await request(doing, 'GET', path)).status !== 403) return false;
  }
  return true;
}

function isSuccess({ status, body }: RegistryAnswer): boolean {
  return status >= 200 && status < 300 && body !== undefined;
}

function idIn(answer: RegistryAnswer, doing: string): number {
  return parsed(ID_ANSWER, answer, (fault) => {
    return new AppError('registry_unavailable', `${doing}: ${fault}`);
  }).id;
}

function parsed<T>(
  shape: z.ZodType<T>,
  answer: RegistryAnswer,
  error: (fault: string) => AppError,
): T {
  const result = shape.safeParse(answer.body);
  if (result.success) return result.data;
  throw error(`${answer.said}, which is not of the expected shape (${shapeFault(result.error)})`);
}

/** Why a request that no record is to blame for did not succeed. */
function rejected(answer: RegistryAnswer, doing: string): AppError {
  const { status, said } = answer;
  if (status === 403) {
    return new AppError('registry_rejected', `${doing}: ${said}; ${CREDENTIALS_REMEDY}`);
  }
  if (status === 409) {
    return new AppError(
      'registry_rejected',
      `${doing}: ${said}; the schema breaks the subject's compatibility level: use another topic or relax that level`,
    );
  }
  if (status === 400 || status === 422 || (status === 404 && !isWrongPath(answer))) {
    return new AppError('registry_rejected', `${doing}: ${said}`);
  }
  return notTheApi(answer, doing);
}

function notTheApi({ said }: RegistryAnswer, doing: string): AppError {
  return new AppError(
    'registry_unavailable',
    `${doing}: ${said}, which is no answer of a schema registry's API; is registry.url right?`,
  );
}

function unknown(message: string): AppError {
  return new AppError('event_schema_unknown', message);
}
