/**
 * A Confluent-compatible schema registry: what Confluent wire format needs besides the record itself.
 */
import type avsc from 'avsc';

export interface SchemaRegistry {
  /**
   * The schema behind an id, with everything it refers to. Asks the registry each time.
   * Throws AppError `event_schema_unknown` when the registry does not know the id,
   * `event_schema_incompatible` when what it knows is no Avro schema, `registry_unavailable` when it does
   * not answer, and `registry_rejected` when it refuses us.
   */
  schemaOf(id: number): Promise<avsc.Type>;
  /**
   * The id of an Avro schema under `subject`, registered when it is not yet. Asks the registry each time.
   * Throws AppError `registry_rejected` when the subject's compatibility level forbids the schema or the
   * credentials do not allow it, and `registry_unavailable` when the registry does not answer.
   */
  register(subject: string, schema: string): Promise<number>;
}
