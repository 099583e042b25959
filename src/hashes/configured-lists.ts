import type { KafkaClient } from '../kafka/client.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config-schema.ts';
import { FileList } from './file-list.ts';
import type { ListSpec } from './hash-list.ts';
import type { ListSource } from './list-source.ts';
import { TopicList } from './topic-list.ts';

export interface ListAdapters {
  /** Called once at most, when a list is a topic. */
  kafka: () => KafkaClient;
  clock: Clock;
}

/** The lists of a configuration, each with its source, none opened yet. */
export function configuredLists(
  lists: Config['lists'],
  { kafka, clock }: ListAdapters,
): Array<{ spec: ListSpec; source: ListSource }> {
  let client: KafkaClient | undefined;
  return lists.map(({ id, kind, mode, distance, policies = null, file, topic = '', hashType }) => ({
    spec: { id, kind, mode, distance, policies },
    source:
      file === undefined
        ? new TopicList({ kafka: (client ??= kafka()), topic, clock })
        : new FileList({ path: file, hashType, clock }),
  }));
}
