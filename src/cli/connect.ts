import { registryOf } from '../app.ts';
import { loadConfig, type LoadedConfig } from '../config.ts';
import type { SchemaRegistry } from '../events/schema-registry.ts';
import { createKafka } from '../kafka/client.ts';
import { createLogger, type Logger } from '../logger.ts';
import type { KafkaClient } from '../kafka/client.ts';

export interface Connection {
  loaded: LoadedConfig;
  kafka: KafkaClient;
  registry: SchemaRegistry | undefined;
  logger: Logger;
}

/** Attempts of a command that somebody waits for: about 3 s. */
const RETRIES = 4;

/** What a command that talks to Kafka needs, from the configuration file. */
export async function connect(configFile: string): Promise<Connection> {
  const loaded = await loadConfig(configFile);
  const logger = createLogger({ level: 'warn', to: 'stderr' });
  const kafka = createKafka(loaded.config.kafka, loaded.secrets, logger, { retries: RETRIES });
  return { loaded, kafka, registry: registryOf(loaded), logger };
}
