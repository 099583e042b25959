import { describe, expect, it, jest } from '@jest/globals';
import { readRecord } from '../../src/kafka/read-record.ts';
import { committedOffset } from '../support/consumer-group.ts';
import { gather } from '../support/gather-verdicts.ts';
import { publish, testKafka } from '../support/kafka.ts';
import { until } from '../support/service.ts';
import { photoEvent, serviceStages } from '../support/service-stage.ts';

jest.setTimeout(90_000);

/** Every name that a plain JavaScript object inherits, in one record. */
const INHERITED = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'];
const AFTER = 20;

describe.each(['at-least-once', 'exactly-once'])('headers named like members, %s', (delivery) => {
  const open = serviceStages();

  it('are carried over to the verdict under their own names, and the service keeps running', async () => {
    const kafka = testKafka();
    const { topics, groupId, start, logs } = await open(kafka, {
      partitions: 1,
      config: { delivery },
    });
    // fromEntries makes members of its own, `__proto__` too.
    const headers = Object.fromEntries(INHERITED.map((name) => [name, `value of ${name}`]));
    await publish(kafka, topics.input, [
      { ...photoEvent('odd'), headers },
      ...Array.from({ length: AFTER }, (_, index) => photoEvent(`after-${index}`)),
    ]);
    const gathered = gather(kafka, topics.verdicts);
    const service = await start();
    await until(() => gathered.verdicts.length === 1 + AFTER, { explain: logs });
    expect(await service.end('SIGTERM')).toBe(0);
    await gathered.stop();
    expect(gathered.verdicts.map(({ outcome }) => outcome)).toEqual(
      Array<string>(1 + AFTER).fill('allow'),
    );
    expect(await committedOffset(kafka, groupId, topics.input, 0)).toBeGreaterThanOrEqual(
      1 + AFTER,
    );

    const position = { topic: topics.verdicts, partition: 0, offset: 0 };
    const verdict = await readRecord(kafka, position, AbortSignal.timeout(10_000));
    expect(verdict.key?.toString()).toBe('odd');
    const carried = verdict.headers.filter(({ name }) => INHERITED.includes(name));
    expect(carried.map(({ name, value }) => [name, value?.toString()])).toEqual(
      INHERITED.map((name) => [name, `value of ${name}`]),
    );
  });
});
