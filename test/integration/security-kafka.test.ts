import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Config } from '../../src/config-schema.ts';
import type { ListenerName } from '../../src/demo/kafka/server-properties.ts';
import type { LocalKafka } from '../../src/demo/local-kafka.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { createKafka } from '../../src/kafka/client.ts';
import { missingTopics } from '../../src/kafka/topics.ts';
import { noLogger } from '../../src/logger.ts';
import { makeCertificates, type Certificates } from '../support/certificates.ts';
import { testKafkaConfig, uniqueName } from '../support/kafka.ts';
import { createKafkaSink } from '../support/kafka-sink.ts';
import { SESSION_MS, startSecuredKafka } from '../support/secured-kafka.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

type Tls = Config['kafka']['tls'];
type Sasl = NonNullable<Config['kafka']['sasl']>;
type Mechanism = Sasl['mechanism'];

describe('a broker that wants to know who is there', () => {
  let broker: LocalKafka;
  let certificates: Certificates;

  beforeAll(async () => {
    certificates = await makeCertificates();
    broker = await startSecuredKafka(certificates);
  }, 60_000);
  afterAll(async () => {
    await broker.stop();
    await certificates.remove();
  });

  const connect = (
    listener: ListenerName | 'PLAINTEXT',
    { tls = false, sasl }: Partial<Pick<Config['kafka'], 'tls' | 'sasl'>>,
    kafkaSaslPassword = '',
  ) => {
    const brokers = listener === 'PLAINTEXT' ? broker.bootstrap : broker.listener(listener);
    return createKafka(
      testKafkaConfig({ brokers, tls, ...(sasl && { sasl }) }),
      { kafkaSaslPassword },
      noLogger,
      { retries: 1 },
    );
  };

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

  it('lets a client in by its certificate', async () => {
    const { ca, clientCert: cert, clientKey: key } = certificates;
    const topic = uniqueName('absent');
    expect(await missingTopics(connect('SSL', { tls: { ca, cert, key } }), [topic])).toEqual([
      topic,
    ]);
  });

  const ca = (): Tls => ({ ca: certificates.ca });
  const bob: Sasl = { mechanism: 'plain', username: 'bob' };
  const alice: Sasl = { mechanism: 'scram-sha-256', username: 'alice' };

  it.each<{
    what: string;
    at: ListenerName | 'PLAINTEXT';
    tls?: () => Tls;
    sasl?: Sasl;
    password?: string;
    code: ErrorCode;
    says: RegExp;
  }>([
    {
      what: 'plain text to a TLS listener',
      at: 'SSL',
      code: 'kafka_unavailable',
      says: /speaks TLS: set kafka\.tls/,
    },
    {
      what: 'SASL in plain text to a TLS listener',
      at: 'SASL_SSL',
      sasl: bob,
      password: 'pw-bob',
      code: 'kafka_unavailable',
      says: /speaks TLS: set kafka\.tls/,
    },
    {
      what: 'TLS to a plaintext listener',
      at: 'PLAINTEXT',
      tls: ca,
      code: 'kafka_unavailable',
      says: /does not speak TLS: remove kafka\.tls/,
    },
    {
      what: 'TLS to a plaintext listener with SASL',
      at: 'SASL_PLAINTEXT',
      tls: ca,
      sasl: bob,
      password: 'pw-bob',
      code: 'kafka_unavailable',
      says: /does not speak TLS: remove kafka\.tls/,
    },
    {
      what: 'the authority of somebody else',
      at: 'SASL_SSL',
      tls: () => ({ ca: certificates.strangerCa }),
      sasl: bob,
      password: 'pw-bob',
      code: 'kafka_unavailable',
      says: /certificate.*kafka\.tls\.ca must name/,
    },
    {
      what: "the system's authorities only",
      at: 'SASL_SSL',
      tls: () => true,
      sasl: bob,
      password: 'pw-bob',
      code: 'kafka_unavailable',
      says: /certificate.*kafka\.tls\.ca must name/,
    },
    {
      what: 'an expired certificate',
      at: 'SSL_EXPIRED',
      tls: ca,
      code: 'kafka_unavailable',
      says: /certificate has expired.*renew it/,
    },
    {
      what: 'a certificate of the future',
      at: 'SSL_EARLY',
      tls: ca,
      code: 'kafka_unavailable',
      says: /not valid yet: compare the clocks/,
    },
    {
      what: 'a certificate for another host',
      at: 'SSL_ELSEWHERE',
      tls: ca,
      code: 'kafka_unavailable',
      says: /127\.0\.0\.1 is not in the cert's list.*another host.*kafka\.tls\.serverName/,
    },
    {
      what: 'a wrong kafka.tls.serverName',
      at: 'SASL_SSL',
      tls: () => ({ ca: certificates.ca, serverName: 'kafka.invalid' }),
      sasl: bob,
      password: 'pw-bob',
      code: 'kafka_unavailable',
      says: /kafka\.invalid.*another host.*kafka\.tls\.serverName/,
    },
    {
      what: 'no certificate of the client',
      at: 'SSL',
      tls: ca,
      code: 'kafka_unauthorized',
      says: /wants a certificate of the client: set kafka\.tls\.cert/,
    },
    {
      what: "a client's certificate that the broker does not trust",
      at: 'SSL',
      tls: () => ({
        ca: certificates.ca,
        cert: certificates.strangerCa,
        key: certificates.strangerKey,
      }),
      code: 'kafka_unauthorized',
      says: /does not accept the certificate in kafka\.tls\.cert/,
    },
    {
      what: 'no SASL where it is wanted',
      at: 'SASL_PLAINTEXT',
      code: 'kafka_unavailable',
      says: /wants SASL, so set kafka\.sasl/,
    },
    {
      what: 'no SASL where it is wanted over TLS',
      at: 'SASL_SSL',
      tls: ca,
      code: 'kafka_unavailable',
      says: /wants SASL, so set kafka\.sasl/,
    },
    {
      what: 'SASL where it is not known',
      at: 'PLAINTEXT',
      sasl: bob,
      password: 'pw-bob',
      code: 'kafka_unauthorized',
      says: /does not use SASL: remove kafka\.sasl/,
    },
    {
      what: 'a mechanism that the listener does not offer',
      at: 'SASL_SSL_PLAIN',
      tls: ca,
      sasl: alice,
      password: 'pw-alice',
      code: 'kafka_unauthorized',
      says: /set kafka\.sasl\.mechanism to one that this listener offers/,
    },
    ...(['plain', 'scram-sha-256', 'scram-sha-512'] as const).flatMap((mechanism) => [
      {
        what: `a wrong password by ${mechanism}`,
        at: 'SASL_PLAINTEXT' as const,
        sasl: { mechanism, username: mechanism === 'plain' ? 'bob' : 'alice' },
        password: 'wrong-password',
        code: 'kafka_unauthorized' as const,
        says: /check kafka\.sasl\.username and the password/,
      },
      {
        what: `an unknown user by ${mechanism}`,
        at: 'SASL_PLAINTEXT' as const,
        sasl: { mechanism, username: 'mallory' },
        password: 'wrong-password',
        code: 'kafka_unauthorized' as const,
        says: /check kafka\.sasl\.username and the password/,
      },
    ]),
  ])(
    'says what is wrong: $what',
    async ({ at, tls, sasl, password, code, says }) => {
      const config = { ...(tls && { tls: tls() }), ...(sasl && { sasl }) };
      const kafka = connect(at, config, password);
      const refused = await missingTopics(kafka, [uniqueName('any')]).catch((e: unknown) => e);
      expect(refused).toMatchObject({ code, message: expect.stringMatching(says) });
      expect((refused as Error).message).toMatch(/^listing topics: [^\n]*$/);
      expect((refused as Error).message).not.toContain('wrong-password');
    },
    30_000,
  );

  it('is used for longer than a short SASL session lasts', async () => {
    const kafka = connect('SASL_PLAINTEXT_SHORT', { sasl: bob }, 'pw-bob');
    const admin = kafka.admin();
    await admin.connect();
    const end = performance.now() + SESSION_MS * 1.5;
    while (performance.now() < end) {
      expect(await admin.listTopics()).toBeInstanceOf(Array);
      await sleep(100);
    }
    await sleep(SESSION_MS * 1.2); // a session that ends while nothing is asked
    expect(await admin.listTopics()).toBeInstanceOf(Array);
    await admin.disconnect();
  }, 30_000);
});

describe('no broker', () => {
  const fault = (brokers: string[]): Promise<unknown> =>
    missingTopics(
      createKafka(testKafkaConfig({ brokers }), {}, noLogger, { retries: 1 }),
      [],
    ).catch((error: unknown) => error);

  it('is where nothing listens', async () => {
    expect(await fault(['127.0.0.1:1'])).toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringMatching(/ECONNREFUSED.*nothing listens there/),
    });
  });

  it('is at a host that has no address', async () => {
    expect(await fault(['kafka.invalid:9092'])).toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringMatching(/there is no such host|check DNS/),
    });
  });

  it('is what takes a request and never answers', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    expect(await fault([`127.0.0.1:${(silent.address() as AddressInfo).port}`])).toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringMatching(/took the request and did not answer/),
    });
    for (const socket of sockets) socket.destroy();
    silent.close();
  }, 40_000);
});
