/**
 * A Confluent-compatible schema registry: what Confluent wire format needs besides the record itself.
 */

/** How a record names its writer's schema: a number is the registry's id, a string its GUID in lower case. */
export type SchemaId = number | string;

/** An Avro schema as its writer registered it. */
export interface WriterSchema {
  /** JSON. */
  readonly schema: string;
  /** What it refers to by name, each after those that it refers to itself; JSON. */
  readonly references: readonly string[];
}

export interface SchemaRegistry {
  /**
   * The schema behind an id, with everything it refers to. Asks the registry each time.
   * Throws AppError `event_schema_unknown` when the registry has no usable answer for this id,
   * `event_schema_incompatible` when what it knows is no Avro schema, `registry_unavailable` when it does
   * not answer, and `registry_rejected` when it refuses us.
   */
  schemaOf(id: SchemaId): Promise<WriterSchema>;
  /**
   * The id of an Avro schema under `subject`, registered when it is not yet. Asks the registry each time.
   * Throws AppError `registry_rejected` when the subject's compatibility level forbids the schema or the
   * credentials do not allow it, and `registry_unavailable` when the registry does not answer.
   */
  register(subject: string, schema: string): Promise<number>;
}
