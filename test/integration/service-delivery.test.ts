import { describe, expect, it, jest } from '@jest/globals';
import { withAdmin } from '../../src/kafka/topics.ts';
import { gather } from '../support/gather-verdicts.ts';
import { testKafka } from '../support/kafka.ts';
import { until } from '../support/service.ts';
import { photoEvent, publishInTurn, serviceStages } from '../support/service-stage.ts';

jest.setTimeout(180_000);

const EVENTS = 1_000;
const PARTITIONS = 6;

describe('two instances on six partitions', () => {
  const open = serviceStages();

  it('lose nothing when one is killed, and every duplicate has the same id', async () => {
    const kafka = testKafka();
    const { topics, groupId, start, logs } = await open(kafka, { partitions: PARTITIONS });
    const { input } = topics;
    const sent = Array.from({ length: EVENTS }, (_, index) => `event-${index}`);
    await publishInTurn(kafka, input, sent.map(photoEvent), PARTITIONS);

    const gathered = gather(kafka, topics.verdicts);
    const killed = await start();
    const survivor = await start();
    await Promise.all([killed.url(), survivor.url()]);
    await until(() => gathered.verdicts.length >= EVENTS / 4, { explain: logs });
    expect(await killed.end('SIGKILL')).toBe('SIGKILL');

    const seen = (): Set<string | null> => new Set(gathered.verdicts.map((v) => v.eventId));
    await until(() => seen().size === EVENTS, { timeoutMs: 120_000, explain: logs });
    expect(await survivor.end('SIGTERM')).toBe(0);
    await gathered.stop();

    expect([...seen()].sort()).toEqual([...sent].sort());
    const ids = Map.groupBy(gathered.verdicts, (verdict) => verdict.eventId);
    for (const [eventId, verdicts] of ids) {
      expect([eventId, new Set(verdicts.map((v) => v.verdictId)).size]).toEqual([eventId, 1]);
    }
    expect(new Set(gathered.verdicts.map((v) => v.outcome))).toEqual(new Set(['allow']));
    const [ends, committed] = await withAdmin(kafka, 'reading offsets', async (admin) => [
      await admin.fetchTopicOffsets(input),
      await admin.fetchOffsets({ groupId, topics: [input] }),
    ]);
    const byPartition = new Map(
      committed[0]?.partitions.map(({ partition, offset }) => [partition, offset]),
    );
    for (const { partition, high } of ends) expect(byPartition.get(partition)).toBe(high);
  });
});
