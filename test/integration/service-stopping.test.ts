import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Kafka } from 'kafkajs';
import { startLocalKafka, type LocalKafka } from '../../src/demo/local-kafka.ts';
import { countRecords, testKafka } from '../support/kafka.ts';
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
  /** What happens to the service at work; `mend` runs when it has ended. */
  trouble: (scene: { stage: ServiceStage; service: Service }) => Promise<unknown>;
  mend?: () => Promise<unknown>;
}

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

  const collector = (port: number) => () => ({
    observability: { http: { host: '127.0.0.1', port: 0 }, otlp: `http://127.0.0.1:${port}` },
  });
  const setUps: SetUp[] = [
    { name: 'with nothing to do', trouble: () => Promise.resolve() },
    {
      name: 'after its broker was restarted',
      trouble: async ({ stage }) => {
        await cluster.stopNode(1);
        await cluster.startNode(1);
        await work(stage);
      },
    },
    {
      name: 'while its broker is away',
      trouble: () => cluster.killNode(1),
      mend: () => cluster.startNode(1),
    },
    {
      name: 'while its broker is frozen',
      trouble: () => Promise.resolve(cluster.freezeNode(1)),
      mend: () => Promise.resolve(cluster.thawNode(1)),
    },
    {
      name: 'just when its broker has come back, and loads the group',
      trouble: async () => {
        await cluster.killNode(1);
        await cluster.startNode(1);
      },
    },
    {
      name: 'in the middle of a rebalance',
      trouble: async ({ stage }) => {
        const other = await memberThatHoldsUp(kafka, stage);
        return other;
      },
    },
    {
      name: 'while the collector of its telemetry is away',
      config: collector(9),
      trouble: () => Promise.resolve(),
    },
    {
      name: 'while the collector of its telemetry does not answer',
      config: () => collector((silent.address() as AddressInfo).port)(),
      trouble: () => Promise.resolve(),
    },
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

  describe.each(['at-least-once', 'exactly-once'] as const)('ends a service (%s)', (delivery) => {
    it.each(setUps)('$name within seconds, without an error', async (setUp) => {
      const { config, trouble, mend } = setUp;
      const stage = await open(kafka, {
        partitions: PARTITIONS,
        config: {
          kafka: { brokers: cluster.bootstrap, groupId: `${delivery} ${setUp.name}` },
          delivery,
          pipeline: { drainTimeoutMs: DRAIN_MS },
          ...config?.(),
        },
      });
      const service = await stage.start();
      await service.url();
      await work(stage);
      await trouble({ stage, service });
      const startedAt = performance.now();
      const code = await service.end('SIGTERM');
      const took = performance.now() - startedAt;
      await mend?.();
      console.log(delivery, setUp.name, took, service.output().split('\n').slice(-8).join('\n'));
      expect([code, linesAbove('warn', service)]).toEqual([0, []]);
      expect(took).toBeLessThan(BOUND_MS);
    });
  });
});

/** Log lines of errors, and what is not a log line: stack traces. */
function linesAbove(_level: string, service: Service): string[] {
  return service
    .output()
    .split('\n')
    .filter((line) => line !== '' && !/^\{"level":(?:[123]0|40|"(?:trace|debug|info|warn)")/.test(line));
}

/** Joins the group and does not come back when the group calls for a rebalance. */
async function memberThatHoldsUp(kafka: Kafka, { topics, groupId }: ServiceStage): Promise<void> {
  void kafka;
  void topics;
  void groupId;
  await Promise.resolve();
}
