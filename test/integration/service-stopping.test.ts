import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Kafka } from 'kafkajs';
import { startLocalKafka, type LocalKafka } from '../../src/demo/local-kafka.ts';
import { countRecords, testKafka, uniqueName } from '../support/kafka.ts';
import { until, type Service } from '../support/service.ts';
import {
  photoEvent,
  publishInTurn,
  serviceStages,
  type ServiceStage,
} from '../support/service-stage.ts';

jest.setTimeout(120_000);

/** What is in flight may take so long; with nothing in flight, a stop takes some 0.4 s. */
const DRAIN_MS = 500;
const BOUND_MS = 5_000;
const PARTITIONS = 3;
const EVENTS = 30;

interface SetUp {
  name: string;
  /** Beside what every set-up has. */
  config?: () => Record<string, unknown>;
  /** What happens to the service at work; what it resolves with mends that. */
  trouble: (stage: ServiceStage) => Promise<(() => unknown) | undefined>;
}

const BOTH = ['at-least-once', 'exactly-once'] as const;

describe('SIGTERM', () => {
  let cluster: LocalKafka;
  let kafka: Kafka;
  let silent: Server;
  const open = serviceStages();
  beforeAll(async () => {
    cluster = await startLocalKafka();
    kafka = testKafka({ brokers: cluster.bootstrap });
    silent = createServer(() => undefined).listen(0, '127.0.0.1'); // takes connections, never answers
    await once(silent, 'listening');
  });
  afterAll(async () => {
    silent.close();
    await cluster.stop();
  });

  const collectedAt = (port: number) => ({
    observability: { http: { host: '127.0.0.1', port: 0 }, otlp: `http://127.0.0.1:${port}` },
  });
  const brokerTroubles: SetUp[] = [
    {
      name: 'after its broker was restarted',
      trouble: async (stage) => {
        await cluster.stopNode(1);
        await cluster.startNode(1);
        await work(stage);
        return undefined;
      },
    },
    {
      name: 'while its broker is away',
      trouble: async () => {
        await cluster.killNode(1);
        return () => cluster.startNode(1);
      },
    },
    {
      name: 'while its broker is frozen',
      trouble: async () => {
        cluster.freezeNode(1);
        await sleep(2_000);
        return () => cluster.thawNode(1);
      },
    },
    {
      name: 'just when its broker has come back, and loads the group',
      trouble: async () => {
        await cluster.killNode(1);
        await cluster.startNode(1);
        return undefined;
      },
    },
    {
      name: 'in the middle of a rebalance',
      trouble: async (stage) => {
        const frozen = await stage.start();
        await until(() => frozen.output().includes('partitions assigned'), { explain: stage.logs });
        process.kill(frozen.pid, 'SIGSTOP'); // the next rebalance waits for it until its session ends
        await stage.start().then((third) => third.url());
        await sleep(2_000);
        return () => frozen.end('SIGKILL');
      },
    },
  ];
  const otherTroubles: SetUp[] = [
    { name: 'with nothing to do', trouble: () => Promise.resolve(undefined) },
    {
      name: 'while the collector of its telemetry is away',
      config: () => collectedAt(9),
      trouble: () => Promise.resolve(undefined),
    },
    {
      name: 'while the collector of its telemetry does not answer',
      config: () => collectedAt((silent.address() as AddressInfo).port),
      trouble: () => Promise.resolve(undefined),
    },
  ];
  const setUps = [
    ...BOTH.flatMap((delivery) => brokerTroubles.map((each) => ({ ...each, delivery }))),
    ...otherTroubles.map((each) => ({ ...each, delivery: BOTH[0] })),
  ];

  /** Has the service judge some events. */
  async function work({ topics, logs }: ServiceStage): Promise<void> {
    const before = await countRecords(kafka, topics.verdicts);
    const events = Array.from({ length: EVENTS }, (_, index) => photoEvent(`event-${index}`));
    await publishInTurn(kafka, topics.input, events, PARTITIONS);
    await until(async () => (await countRecords(kafka, topics.verdicts)) >= before + EVENTS, {
      explain: logs,
    });
  }

  it.each(setUps)(
    'ends a service $name within seconds, without an error ($delivery)',
    async (setUp) => {
      const { delivery, config, trouble } = setUp;
      const stage = await open(kafka, {
        partitions: PARTITIONS,
        config: {
          kafka: {
            brokers: cluster.bootstrap,
            groupId: uniqueName('stopping'),
            sessionTimeoutMs: 30_000,
          },
          delivery,
          pipeline: { drainTimeoutMs: DRAIN_MS },
          ...config?.(),
        },
      });
      const service = await stage.start();
      await service.url();
      await work(stage);
      const mend = await trouble(stage);
      const startedAt = performance.now();
      const code = await service.end('SIGTERM');
      const took = performance.now() - startedAt;
      await mend?.();
      console.log(delivery, setUp.name, took, service.output().split('\n').slice(-8).join('\n'));
      expect([code, faultsIn(service)]).toEqual([0, []]);
      expect(took).toBeLessThan(BOUND_MS);
    },
  );
});

/** Lines of errors, and lines that are no log lines, such as those of stack traces. */
function faultsIn(service: Service): string[] {
  const lines = service.output().split('\n');
  return lines.filter((line) => line !== '' && !/^\{"level":"(?:debug|info|warn)"/.test(line));
}
