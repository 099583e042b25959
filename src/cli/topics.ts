import { Command, InvalidArgumentError } from 'commander';
import { topicsOf } from '../topics.ts';

interface CreateOptions {
  config: string;
  partitions: number;
  replicationFactor: number;
}

/** Kafka's own default is 1 MB, and events may hold whole images. */
const OVERHEAD_BYTES = 1024 * 1024;

export function topicsCommand(): Command {
  const create = new Command('create')
    .description('create every topic of the configuration that is not there')
    .option('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .option(
      '--partitions <n>',
      'of each new topic; it bounds how many instances can share the work',
      positive,
      6,
    )
    .option('--replication-factor <n>', 'of each new topic (default: the broker’s)', positive, -1)
    .action(async (options: CreateOptions) => {
      const { connect } = await import('./connect.ts');
      const { createTopics } = await import('../kafka/topics.ts');
      const { loaded, kafka } = await connect(options.config);
      const { config } = loaded;
      const { partitions, replicationFactor } = options;
      // Inline images arrive in base64, and dead letters hold whole records.
      const largest = Math.ceil((config.images.maxBytes * 4) / 3) + OVERHEAD_BYTES;
      const holdsImages = new Set([config.topics.input, config.topics.deadLetters]);
      const { created, existed } = await createTopics(
        kafka,
        topicsOf(config).map((topic) => ({
          topic,
          partitions,
          replicationFactor,
          ...(holdsImages.has(topic) && { config: { 'max.message.bytes': String(largest) } }),
        })),
      );
      for (const topic of created)
        process.stdout.write(`created ${topic} (${partitions} partitions)\n`);
      for (const topic of existed) process.stdout.write(`${topic} was there already\n`);
    });
  return new Command('topics')
    .description('manage the topics of a configuration')
    .addCommand(create);
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number from 1');
  return value;
}
