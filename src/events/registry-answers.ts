import { z } from 'zod';

/** What the registry's REST API answers, as far as it is used (Confluent Schema Registry API, v1 media type). */
const REFERENCE = z.object({ subject: z.string().min(1), version: z.int() });

/** Of `GET /schemas/ids/{id}`, `/schemas/guids/{guid}` and `/subjects/{subject}/versions/{version}`. */
export const SCHEMA_ANSWER = z.object({
  schema: z.string(),
  /** Left out for Avro. */
  schemaType: z.string().nullish(),
  references: z.array(REFERENCE).nullish(),
});
export type SchemaAnswer = z.infer<typeof SCHEMA_ANSWER>;

export const ID_ANSWER = z.object({ id: z.int() });

export const LEVEL_ANSWER = z.object({ compatibilityLevel: z.string() });

/** The fault of an answer in one line: `references.0: Invalid input`. */
export function shapeFault(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.join('.') || 'the answer'}: ${issue.message}` : 'unexpected';
}
