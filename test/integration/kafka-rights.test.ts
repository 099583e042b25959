import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { kafkaFindings, type Finding } from '../../src/cli/checks.ts';
import { systemClock } from '../../src/clock.ts';
import { configSchema, type Config } from '../../src/config-schema.ts';
import { createKafkaEnds } from '../../src/delivery.ts';
import type { LocalKafka } from '../../src/demo/local-kafka.ts';
import { createKafka } from '../../src/kafka/client.ts';
import { lanesOf } from '../../src/lane.ts';
import { missingTopics } from '../../src/kafka/topics.ts';
import { noLogger } from '../../src/logger.ts';
import { packageFile } from '../../src/package-files.ts';
import { inventory, startAuthorizingKafka } from '../support/authorizing-kafka.ts';
import { runCli } from '../support/cli.ts';
import { RIGHTS_ROWS } from '../support/rights-rows.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

const adds = (user: string, rest: string): string =>
  `kafka-acls.sh --add --allow-principal User:${user} --operation ${rest}`;

describe('a broker that knows who may do what', () => {
  let broker: LocalKafka;
  let admin: Kafka;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moderato-rights-'));
    ({ broker, admin } = await startAuthorizingKafka(RIGHTS_ROWS));
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

  it.each(RIGHTS_ROWS)(
    'is asked for each right: $user',
    async ({ user, acls, delivery, commands }) => {
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
    },
  );

  it('is asked for each right on each lane', async () => {
    const { topics, ...config } = configOf('everything-once', 'exactly-once');
    const lanes = lanesOf([{ topic: 'images', weight: 8 }, { topic: 'rescan' }]);
    const findings = await check({ ...config, topics: { ...topics, input: lanes } });
    const said = findings.filter(({ ok, isWarning }) => !ok || isWarning);
    expect(said.map(({ what }) => what)).toEqual(
      [
        'Read --topic rescan',
        'Write --transactional-id moderato-moderato-rescan- --resource-pattern-type prefixed',
        'DescribeConfigs --topic rescan',
      ].map((command) => expect.stringMatching(new RegExp(`${adds('everything-once', command)}$`))),
    );
  });

  it('does not start where one lane may not be seen, and names that one', async () => {
    const { kafka: config } = configOf('everything');
    const kafka = createKafka(config, secrets, noLogger);
    await expect(missingTopics(kafka, ['images', 'rescan'])).rejects.toMatchObject({
      code: 'kafka_unauthorized',
      message: expect.stringMatching(/may not see rescan; moderato check/),
    });
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
