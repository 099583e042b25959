import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocalKafka, type LocalKafka } from '../../src/demo/local-kafka.ts';
import { testKafka } from '../support/kafka.ts';
import { createKafkaSink } from '../support/kafka-sink.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

describe('the Kafka verdict sink while its broker is killed', () => {
  let cluster: LocalKafka;
  beforeAll(async () => {
    cluster = await startLocalKafka();
  }, 60_000);
  afterAll(() => cluster.stop());

  it('loses nothing and writes nothing twice', async () => {
    const kafka = testKafka({ brokers: cluster.bootstrap });
    const { sink, seen } = await createKafkaSink(kafka, { partitions: 3 });
    const ids = Array.from({ length: 600 }, (_, index) => `v-${index}`);
    const emitted: Array<Promise<void>> = [];
    let restarted: Promise<void> | undefined;
    for (const [index, id] of ids.entries()) {
      const key = index % 2 === 0 ? null : Buffer.from(`key-${index % 17}`);
      emitted.push(sink.emit(anEmission(id, { key })));
      if (index % 10 === 9) await sleep(20);
      if (index === 200) restarted = cluster.killNode(1).then(() => cluster.startNode(1));
    }
    await Promise.all([restarted, ...emitted]);
    await sink.close();
    const written = (await seen()).verdicts.map(({ content }) => content.verdictId);
    expect(written).toHaveLength(ids.length);
    expect(new Set(written)).toEqual(new Set(ids));
  }, 60_000);
});
