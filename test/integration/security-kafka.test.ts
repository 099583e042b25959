import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Config } from '../../src/config-schema.ts';
import type { ListenerName } from '../../src/demo/kafka/server-properties.ts';
import { startLocalKafka, type LocalKafka } from '../../src/demo/local-kafka.ts';
import { createKafka } from '../../src/kafka/client.ts';
import { missingTopics } from '../../src/kafka/topics.ts';
import { noLogger } from '../../src/logger.ts';
import { makeCertificates, type Certificates } from '../support/certificates.ts';
import { testKafkaConfig, uniqueName } from '../support/kafka.ts';
import { createKafkaSink } from '../support/kafka-sink.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_bob="pw-bob";';

type Mechanism = NonNullable<Config['kafka']['sasl']>['mechanism'];

describe('a broker that wants to know who is there', () => {
  let broker: LocalKafka;
  let certificates: Certificates;

  beforeAll(async () => {
    certificates = await makeCertificates();
    const jaas = ['sasl_plaintext', 'sasl_ssl'].flatMap((listener) => [
      [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`, SCRAM],
      [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`, SCRAM],
      [`listener.name.${listener}.plain.sasl.jaas.config`, PLAIN],
    ]);
    broker = await startLocalKafka({
      listeners: ['SSL', 'SASL_PLAINTEXT', 'SASL_SSL'],
      scramUsers: { alice: 'pw-alice' },
      properties: {
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': certificates.brokerKeystore,
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': certificates.ca,
        'listener.name.ssl.ssl.client.auth': 'required',
        'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512,PLAIN',
        ...(Object.fromEntries(jaas) as Record<string, string>),
      },
    });
  }, 60_000);
  afterAll(async () => {
    await broker.stop();
    await certificates.remove();
  });

  const connect = (
    listener: ListenerName,
    { tls = false, sasl }: Partial<Pick<Config['kafka'], 'tls' | 'sasl'>>,
    kafkaSaslPassword = '',
  ) =>
    createKafka(
      testKafkaConfig({ brokers: broker.listener(listener), tls, ...(sasl && { sasl }) }),
      { kafkaSaslPassword },
      noLogger,
      { retries: 1 },
    );

  it.each<[Mechanism, string, ListenerName]>([
    ['plain', 'bob', 'SASL_PLAINTEXT'],
    ['plain', 'bob', 'SASL_SSL'],
    ['scram-sha-256', 'alice', 'SASL_PLAINTEXT'],
    ['scram-sha-512', 'alice', 'SASL_SSL'],
  ])('takes verdicts by %s from %s over %s', async (mechanism, username, listener) => {
    const tls = listener === 'SASL_SSL' ? { ca: certificates.ca } : false;
    const kafka = connect(listener, { tls, sasl: { mechanism, username } }, `pw-${username}`);
    const { sink, seen } = await createKafkaSink(kafka);
    await sink.emit(anEmission('secret'));
    await sink.close();
    expect((await seen()).verdicts).toHaveLength(1);
  });

  it.each<[Mechanism, string]>([
    ['plain', 'bob'],
    ['scram-sha-256', 'alice'],
    ['scram-sha-512', 'alice'],
  ])('refuses a wrong password by %s', async (mechanism, username) => {
    const kafka = connect('SASL_PLAINTEXT', { sasl: { mechanism, username } }, 'wrong-password');
    const refused = missingTopics(kafka, [uniqueName('any')]);
    await expect(refused).rejects.toMatchObject({
      code: 'kafka_unauthorized',
      message: expect.stringMatching(/^listing topics: .*password/),
    });
    await expect(refused).rejects.toMatchObject({
      message: expect.not.stringContaining('wrong-password'),
    });
  });

  it('lets nobody in by certificate alone who has none', async () => {
    const { ca, clientCert: cert, clientKey: key } = certificates;
    const known = connect('SSL', { tls: { ca, cert, key } });
    const topic = uniqueName('absent');
    expect(await missingTopics(known, [topic])).toEqual([topic]);
    await expect(missingTopics(connect('SSL', { tls: { ca } }), [topic])).rejects.toMatchObject({
      code: 'kafka_unavailable',
    });
  });

  it.each([
    ['another authority', () => ({ ca: certificates.strangerCa })],
    ["the system's authorities", () => true],
  ])('is not trusted when its certificate is not from %s', async (_, tls) => {
    const kafka = connect(
      'SASL_SSL',
      { tls: tls(), sasl: { mechanism: 'plain', username: 'bob' } },
      'pw-bob',
    );
    await expect(missingTopics(kafka, ['any'])).rejects.toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringMatching(/certificate.*kafka\.tls\.ca/),
    });
  });

  it('is not mistaken for a plain one: the error names kafka.tls', async () => {
    const kafka = connect('SSL', {});
    await expect(missingTopics(kafka, ['any'])).rejects.toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringContaining('kafka.tls'),
    });
  }, 60_000);
});
