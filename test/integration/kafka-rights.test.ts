import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { kafkaFindings, type Finding } from '../../src/cli/checks.ts';
import { systemClock } from '../../src/clock.ts';
import { configSchema, type Config } from '../../src/config-schema.ts';
import { createKafkaEnds } from '../../src/delivery.ts';
import { startLocalKafka, type LocalKafka } from '../../src/demo/local-kafka.ts';
import { createKafka } from '../../src/kafka/client.ts';
import { createTopics, missingTopics } from '../../src/kafka/topics.ts';
import { noLogger } from '../../src/logger.ts';
import { packageFile } from '../../src/package-files.ts';
import { grant, type Acl } from '../support/acls.ts';
import { runCli } from '../support/cli.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

const READS: Acl = ['TOPIC', 'images', 'READ'];
const JOINS: Acl = ['GROUP', 'moderato', 'READ'];
const WRITES: Acl = ['TOPIC', 'verdicts', 'WRITE'];
const LETTERS: Acl = ['TOPIC', 'dead-letters', 'WRITE'];
const BLOCKS: Acl = ['TOPIC', 'blocked', 'WRITE'];
const LISTED: Acl = ['TOPIC', 'known', 'READ'];
const LISTING: Acl = ['GROUP', 'moderato-list-*', 'READ'];
const TRANSACTS: Acl = ['TRANSACTIONAL_ID', 'moderato-moderato-images-*', 'WRITE'];
const DESCRIBES: Acl[] = ['images', 'verdicts', 'dead-letters', 'blocked'].map((topic) => [
  'TOPIC',
  topic,
  'DESCRIBE_CONFIGS',
]);
const AT_LEAST_ONCE = [READS, JOINS, WRITES, LETTERS, BLOCKS, LISTED, LISTING, ...DESCRIBES];
const EXACTLY_ONCE = [...AT_LEAST_ONCE, TRANSACTS];

const without = (all: Acl[], ...left: Acl[]): Acl[] => all.filter((acl) => !left.includes(acl));
const adds = (user: string, rest: string): string =>
  `kafka-acls.sh --add --allow-principal User:${user} --operation ${rest}`;

interface Row {
  user: string;
  acls: Acl[];
  delivery?: Config['delivery'];
  /** The commands of what is missing, in order; `!` before those that `run` can do without. */
  commands: string[];
}

const ROWS: Row[] = [
  { user: 'everything', acls: AT_LEAST_ONCE, commands: [] },
  { user: 'everything-once', acls: EXACTLY_ONCE, delivery: 'exactly-once', commands: [] },
  {
    user: 'no-input',
    acls: without(AT_LEAST_ONCE, READS),
    commands: ['Read --topic images'],
  },
  {
    user: 'describes-input',
    acls: [...without(AT_LEAST_ONCE, READS), ['TOPIC', 'images', 'DESCRIBE']],
    commands: ['Read --topic images'],
  },
  {
    user: 'no-group',
    acls: without(AT_LEAST_ONCE, JOINS),
    commands: ['Read --group moderato'],
  },
  {
    user: 'describes-group',
    acls: [...without(AT_LEAST_ONCE, JOINS), ['GROUP', 'moderato', 'DESCRIBE']],
    commands: ['Read --group moderato'],
  },
  {
    user: 'no-verdicts',
    acls: without(AT_LEAST_ONCE, WRITES),
    commands: ['Write --topic verdicts'],
  },
  {
    user: 'reads-outcomes',
    acls: [
      ...without(AT_LEAST_ONCE, WRITES, BLOCKS),
      ['TOPIC', 'verdicts', 'READ'],
      ['TOPIC', 'blocked', 'READ'],
    ],
    commands: ['Write --topic verdicts', 'Write --topic blocked'],
  },
  {
    user: 'no-letters',
    acls: without(AT_LEAST_ONCE, LETTERS),
    commands: ['Write --topic dead-letters'],
  },
  {
    user: 'no-route',
    acls: without(EXACTLY_ONCE, BLOCKS),
    delivery: 'exactly-once',
    commands: ['Write --topic blocked'],
  },
  {
    user: 'no-ids',
    acls: AT_LEAST_ONCE,
    delivery: 'exactly-once',
    commands: [
      'Write --transactional-id moderato-moderato-images- --resource-pattern-type prefixed',
    ],
  },
  {
    user: 'describes-ids',
    acls: [...AT_LEAST_ONCE, ['TRANSACTIONAL_ID', 'moderato-*', 'DESCRIBE']],
    delivery: 'exactly-once',
    commands: [
      'Write --transactional-id moderato-moderato-images- --resource-pattern-type prefixed',
    ],
  },
  {
    user: 'no-list',
    acls: without(AT_LEAST_ONCE, LISTED),
    commands: ['Read --topic known'],
  },
  {
    user: 'no-list-group',
    acls: without(AT_LEAST_ONCE, LISTING),
    commands: ['Read --group moderato-list- --resource-pattern-type prefixed'],
  },
  {
    user: 'writes-nothing',
    acls: without(AT_LEAST_ONCE, WRITES, LETTERS, BLOCKS),
    commands: [
      'Write --topic verdicts',
      'Write --topic blocked',
      'Write --topic dead-letters',
      'IdempotentWrite --cluster',
    ],
  },
  {
    user: 'describes-one',
    acls: without(AT_LEAST_ONCE, ...DESCRIBES.slice(1)),
    commands: [
      '!DescribeConfigs --topic verdicts',
      '!DescribeConfigs --topic blocked',
      '!DescribeConfigs --topic dead-letters',
    ],
  },
  {
    user: 'nothing',
    acls: [],
    delivery: 'exactly-once',
    commands: [
      'Read --topic images',
      'Read --group moderato',
      'Write --transactional-id moderato-moderato-images- --resource-pattern-type prefixed',
      'Write --topic verdicts',
      'Write --topic blocked',
      'Write --topic dead-letters',
      'Read --topic known',
      'Read --group moderato-list- --resource-pattern-type prefixed',
      '!DescribeConfigs --topic images',
      '!DescribeConfigs --topic verdicts',
      '!DescribeConfigs --topic blocked',
      '!DescribeConfigs --topic dead-letters',
    ],
  },
];

describe('a broker that knows who may do what', () => {
  let broker: LocalKafka;
  let admin: Kafka;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moderato-rights-'));
    const users = ROWS.map(({ user }) => `user_${user}="pw"`).join(' ');
    broker = await startLocalKafka({
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
    admin = createKafka(config, {}, noLogger);
    const topics = ['images', 'verdicts', 'dead-letters', 'blocked', 'known'];
    await createTopics(
      admin,
      topics.map((topic) => ({ topic, partitions: 2 })),
    );
    for (const { user, acls } of ROWS) await grant(admin, user, acls);
  }, 90_000);
  afterAll(async () => {
    await broker.stop();
    await rm(folder, { recursive: true });
  });

  const configOf = (user: string, delivery: Config['delivery'] = 'at-least-once'): Config =>
    configSchema.parse({
      policies: 'policies.yaml',
      kafka: {
        brokers: broker.listener('SASL_PLAINTEXT'),
        sasl: { mechanism: 'plain', username: user },
      },
      topics: {
        input: 'images',
        verdicts: 'verdicts',
        deadLetters: 'dead-letters',
        routes: { block: 'blocked' },
      },
      lists: [{ id: 'known', kind: 'block', topic: 'known' }],
      delivery,
    });
  const secrets = { kafkaSaslPassword: 'pw' };
  const check = (config: Config): Promise<Finding[]> =>
    kafkaFindings(config.kafka, secrets, config);
  const endsOf = (user: string, delivery?: Config['delivery']) => {
    const config = configOf(user, delivery);
    const kafka = createKafka(config.kafka, secrets, noLogger, { retries: 4 });
    const parts = { kafka, registry: undefined, clock: systemClock, logger: noLogger };
    return createKafkaEnds(config, parts);
  };

  it.each(ROWS)('is asked for each right: $user', async ({ user, acls, delivery, commands }) => {
    expect(acls.length).toBeGreaterThanOrEqual(0);
    const findings = await check(configOf(user, delivery));
    const said = findings.filter(({ ok, isWarning }) => !ok || isWarning);
    expect(said.map(({ what }) => what)).toEqual(
      commands.map((command) =>
        expect.stringMatching(
          new RegExp(`: User:${user} lacks .*${adds(user, command.replace(/^!/, ''))}$`),
        ),
      ),
    );
    expect(said.map(({ ok }) => ok)).toEqual(commands.map((command) => command.startsWith('!')));
    const isSound = commands.every((command) => command.startsWith('!'));
    expect(findings.some(({ ok, what }) => ok && what.startsWith('Kafka at'))).toBe(isSound);
  });

  it('leaves nothing behind of being asked', async () => {
    const before = await inventory(admin);
    await check(configOf('everything'));
    await check(configOf('everything-once', 'exactly-once'));
    expect(await inventory(admin)).toEqual(before);
  });

  it('is not said to lack a topic that it only hides', async () => {
    const { kafka: config } = configOf('no-input');
    const kafka = createKafka(config, secrets, noLogger);
    await expect(missingTopics(kafka, ['images'])).rejects.toMatchObject({
      code: 'kafka_unauthorized',
      message: expect.stringMatching(/may not see images; moderato check/),
    });
    expect(await missingTopics(admin, ['images', 'absent'])).toEqual(['absent']);
  });

  it.each<[string, Config['delivery'], string]>([
    ['no-group', 'at-least-once', 'Read --group moderato'],
    ['describes-group', 'at-least-once', 'Read --group moderato'],
    ['no-group', 'exactly-once', 'Read --group moderato'],
    [
      'no-ids',
      'exactly-once',
      'Write --transactional-id moderato-moderato-images- --resource-pattern-type prefixed',
    ],
    [
      'describes-ids',
      'exactly-once',
      'Write --transactional-id moderato-moderato-images- --resource-pattern-type prefixed',
    ],
  ])(
    'ends the reading of %s (%s) with the command that helps',
    async (user, delivery, command) => {
      const { source, sink } = endsOf(user, delivery);
      const reading = source.deliveries()[Symbol.asyncIterator]().next();
      await expect(reading).rejects.toMatchObject({
        code: 'kafka_unauthorized',
        message: expect.stringContaining(adds(user, command)),
      });
      await source.close();
      await sink.close();
    },
    30_000,
  );

  it('ends the writing of verdicts with the command that helps', async () => {
    const { source, sink } = endsOf('reads-outcomes');
    await expect(sink.emit(anEmission('refused'))).rejects.toMatchObject({
      code: 'kafka_unauthorized',
      message: expect.stringContaining(adds('reads-outcomes', 'Write --topic blocked')),
    });
    await source.close();
    await sink.close();
  }, 30_000);

  it.each([
    ['no-letters', 1, /✗ .*--topic dead-letters/, '1 fault.'],
    ['describes-one', 0, /! .*DescribeConfigs --topic verdicts/, 'Nothing is in the way.'],
  ])(
    'moderato check prints it: %s',
    async (user, exit, line, summary) => {
      const file = join(folder, `${user}.yaml`);
      await writeFile(
        file,
        `kafka:
  brokers: [${broker.listener('SASL_PLAINTEXT').join(', ')}]
  sasl: { mechanism: plain, username: ${user} }
topics: { input: images, verdicts: verdicts, deadLetters: dead-letters }
policies: ${packageFile('policies/demo.yaml')}
`,
      );
      const { code, stdout } = await runCli(['check', '-c', file], {
        MODERATO_KAFKA_SASL_PASSWORD: 'pw',
      });
      expect(stdout).toMatch(line);
      expect(stdout).toContain(summary);
      expect(code).toBe(exit);
    },
    60_000,
  );
});

/** Groups, topics and the numbers of their records. */
async function inventory(kafka: Kafka): Promise<unknown> {
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
