import { Command } from 'commander';
import { say } from './printable.ts';
import { eventTopics } from '../topics.ts';
import { wholeNumberFrom } from './whole-number.ts';

interface CreateOptions {
  config: string;
  partitions: number;
  replicationFactor: number;
}

export function topicsCommand(): Command {
  const create = new Command('create')
    .description('create every topic of the configuration that is not there')
    .option('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .option(
      '--partitions <n>',
      'of each new topic; it bounds how many instances can share the work',
      wholeNumberFrom(1),
      6,
    )
    .option(
      '--replication-factor <n>',
      'of each new topic (default: the broker’s)',
      wholeNumberFrom(1),
      -1,
    )
    .action(async (options: CreateOptions) => {
      const { connect } = await import('./connect.ts');
      const { createTopics } = await import('../kafka/topics.ts');
      const { loaded, kafka } = await connect(options.config);
      const { config } = loaded;
      const { partitions, replicationFactor } = options;
      const ofEvents = eventTopics(config).map(({ topic, bytes }) => ({
        topic,
        partitions,
        replicationFactor,
        config: { 'max.message.bytes': String(bytes) },
      }));
      // Every instance reads all of a list, and its entries stay until they are removed.
      const ofLists = config.lists
        .flatMap(({ topic }) => topic ?? [])
        .map((topic) => ({
          topic,
          partitions: 1,
          replicationFactor,
          config: { 'cleanup.policy': 'compact' },
        }));
      const { created, existed } = await createTopics(kafka, [...ofEvents, ...ofLists]);
      for (const topic of created) {
        const isOfEvents = ofEvents.some((each) => each.topic === topic);
        const kind = isOfEvents ? `${partitions} partitions` : 'compacted';
        say(`created ${topic} (${kind})`);
      }
      for (const topic of existed) say(`${topic} was there already`);
    });
  return new Command('topics')
    .description('manage the topics of a configuration')
    .addCommand(create);
}
