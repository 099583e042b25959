import type avsc from 'avsc';
import { AppError, messageOf } from '../errors.ts';
import { createRegistryRequest, type RegistryHttpOptions } from './registry-http.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import { parseSchema } from './schemas.ts';

const MAX_REFERENCES = 32;
const SUBJECT_NOT_FOUND = 40_401;

/**
 * The Confluent Schema Registry REST API, v7, over fetch. Keeps nothing and retries nothing: callers
 * cache, and whoever holds the record decides when to try again.
 * Throws AppError `config_invalid` when the URL holds credentials.
 */
export function createSchemaRegistry(options: RegistryHttpOptions): SchemaRegistry {
  const request = createRegistryRequest(options);

  /** Parses `body.schema` after everything it refers to, so that names are known when they are used. */
  async function parse(
    body: Record<string, unknown>,
    doing: string,
    named: Record<string, avsc.Type>,
    seen: Set<string>,
  ): Promise<avsc.Type> {
    for (const { subject, version } of referencesOf(body)) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      if (seen.has(path)) continue;
      if (seen.size >= MAX_REFERENCES) {
        throw incompatible(`${doing}: it refers to more than ${MAX_REFERENCES} schemas`);
      }
      seen.add(path);
      const answer = await request(doing, 'GET', path);
      if (!answer.found) {
        throw incompatible(`${doing}: it refers to ${subject} version ${version}, which is gone`);
      }
      await parse(answer.body, doing, named, seen);
    }
    const { schema, schemaType = 'AVRO' } = body;
    if (schemaType !== 'AVRO' || typeof schema !== 'string') {
      throw incompatible(`${doing}: it is not an Avro schema but ${String(schemaType)}`);
    }
    try {
      return parseSchema(schema, named);
    } catch (error) {
      throw incompatible(`${doing}: not a valid Avro schema: ${messageOf(error)}`, error);
    }
  }

  return {
    async schemaOf(id) {
      const doing = `looking up schema ${id}`;
      const answer = await request(doing, 'GET', `/schemas/ids/${id}`);
      if (answer.found) return parse(answer.body, doing, {}, new Set());
      throw new AppError(
        'event_schema_unknown',
        `${doing}: the schema registry does not know this id; was the record published with another registry?`,
      );
    },

    async register(subject, schema) {
      const doing = `registering the schema of subject ${subject}`;
      const path = `/subjects/${encodeURIComponent(subject)}`;
      // Looked up first: credentials that may only read are enough once the schema is there.
      const known = await request(doing, 'POST', path, { schema });
      if (known.found) return idOf(known.body, doing);
      if (known.code === SUBJECT_NOT_FOUND) {
        const level = await request(doing, 'GET', '/config');
        if (level.found && level.body['compatibilityLevel'] === 'NONE') {
          await request(doing, 'PUT', `/config/${encodeURIComponent(subject)}`, {
            compatibility: 'BACKWARD',
          });
        }
      }
      const registered = await request(doing, 'POST', `${path}/versions`, { schema });
      if (registered.found) return idOf(registered.body, doing);
      throw new AppError(
        'registry_rejected',
        `${doing}: the schema registry answered error ${registered.code}`,
      );
    },
  };
}

function idOf(body: Record<string, unknown>, doing: string): number {
  if (typeof body['id'] === 'number') return body['id'];
  throw new AppError('registry_unavailable', `${doing}: the answer holds no id`);
}

function referencesOf(body: Record<string, unknown>): { subject: string; version: number }[] {
  const references: unknown = body['references'];
  return Array.isArray(references) ? (references as { subject: string; version: number }[]) : [];
}

function incompatible(message: string, cause?: unknown): AppError {
  return new AppError('event_schema_incompatible', message, { cause });
}
