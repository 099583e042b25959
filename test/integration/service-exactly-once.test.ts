import { describe, expect, it, jest } from '@jest/globals';
import { withAdmin } from '../../src/kafka/topics.ts';
import { committedOffsets } from '../support/consumer-group.ts';
import { gather } from '../support/gather-verdicts.ts';
import { testKafka } from '../support/kafka.ts';
import { until, type Service } from '../support/service.ts';
import { photoEvent, publishInTurn, serviceStages } from '../support/service-stage.ts';

jest.setTimeout(180_000);

const EVENTS = 600;
const PARTITIONS = 6;

describe('exactly-once: two instances on six partitions', () => {
  const open = serviceStages();

  it('show each verdict once to a read_committed consumer, one being killed and one frozen', async () => {
    const kafka = testKafka();
    const stage = await open(kafka, {
      partitions: PARTITIONS,
      config: { delivery: 'exactly-once' },
    });
    const { topics, groupId, logs } = stage;
    const { input } = topics;
    const messages = Array.from({ length: EVENTS }, (_, index) => ({
      ...photoEvent(`event-${index}`),
      ...(index % 50 === 7 && { value: Buffer.from('nonsense') }),
    }));
    await publishInTurn(kafka, input, messages, PARTITIONS);
    const gathered = gather(kafka, topics.verdicts);
    const start = async (): Promise<Service> => {
      const service = await stage.start();
      await service.url();
      return service;
    };
    const done = async (): Promise<number> => {
      const committed = await committedOffsets(kafka, groupId, input);
      return [...committed.values()].reduce((sum, offset) => sum + Math.max(offset, 0), 0);
    };

    const killed = await start();
    const frozen = await start();
    await until(async () => (await done()) > EVENTS / 6, { explain: logs });
    expect(await killed.end('SIGKILL')).toBe('SIGKILL');
    await until(async () => (await done()) > EVENTS / 3, { explain: logs });
    process.kill(frozen.pid, 'SIGSTOP');
    const third = await start();
    await until(async () => (await done()) > EVENTS / 2, { explain: logs });
    process.kill(frozen.pid, 'SIGCONT'); // a zombie with a transaction of the past in its hands
    await until(async () => (await done()) === EVENTS, { timeoutMs: 120_000, explain: logs });
    expect(await third.end('SIGTERM')).toBe(0);
    expect(await frozen.end('SIGTERM')).toBe(0);

    const committed = await committedOffsets(kafka, groupId, input);
    const ends = await withAdmin(kafka, 'reading', (admin) => admin.fetchTopicOffsets(input));
    for (const { partition, high } of ends) expect(committed.get(partition)).toBe(Number(high));
    await until(() => gathered.verdicts.length >= EVENTS, { explain: logs });
    await gathered.stop();
    const positions = gathered.verdicts.map((v) => `${v.input.partition}/${v.input.offset}`);
    expect(positions.length).toBe(EVENTS);
    expect(new Set(positions).size).toBe(EVENTS);
  });
});
