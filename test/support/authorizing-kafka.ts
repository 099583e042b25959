import type { Kafka } from 'kafkajs';
import { configSchema } from '../../src/config-schema.ts';
import { startLocalKafka, type LocalKafka } from '../../src/demo/local-kafka.ts';
import { createKafka } from '../../src/kafka/client.ts';
import { createTopics } from '../../src/kafka/topics.ts';
import { noLogger } from '../../src/logger.ts';
import { grant, type Acl } from './acls.ts';

export interface AuthorizingKafka {
  broker: LocalKafka;
  /** A superuser's client. */
  admin: Kafka;
}

/** A broker with an authorizer, the topics of `configOf` and these users, each with the password `pw`. */
export async function startAuthorizingKafka(
  rows: ReadonlyArray<{ user: string; acls: readonly Acl[] }>,
): Promise<AuthorizingKafka> {
  const users = rows.map(({ user }) => `user_${user}="pw"`).join(' ');
  const broker = await startLocalKafka({
    listeners: ['SASL_PLAINTEXT'],
    properties: {
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.sasl_plaintext.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${users};`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS', // the plain listener, which brokers and this test use
      'allow.everyone.if.no.acl.found': false,
    },
  });
  const config = configSchema.shape.kafka.parse({ brokers: broker.bootstrap });
  const admin = createKafka(config, {}, noLogger);
  const topics = ['images', 'rescan', 'verdicts', 'dead-letters', 'blocked', 'known'];
  await createTopics(
    admin,
    topics.map((topic) => ({
      topic,
      partitions: 2,
      // A letter may be larger than its record, and moderato check warns where it would be cut.
      config: topic === 'dead-letters' ? { 'max.message.bytes': `${32 * 1024 * 1024}` } : {},
    })),
  );
  for (const { user, acls } of rows) await grant(admin, user, acls);
  return { broker, admin };
}

/** Groups, topics and the numbers of their records. */
export async function inventory(kafka: Kafka): Promise<unknown> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).toSorted();
    const offsets = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
    return { topics, offsets, groups: await admin.listGroups() };
  } finally {
    await admin.disconnect();
  }
}
