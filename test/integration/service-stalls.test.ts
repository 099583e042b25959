import { describe, expect, it, jest } from '@jest/globals';
import { countRecords, testKafka } from '../support/kafka.ts';
import { until } from '../support/service.ts';
import { photoEvent, publishInTurn, serviceStages } from '../support/service-stage.ts';
import { parsePrometheusText } from '../support/prometheus-text.ts';
import { openTransaction } from '../support/transactions.ts';

jest.setTimeout(180_000);

describe('a transaction that its producer has left open', () => {
  const open = serviceStages();

  it('is named within a minute, with its producer, what it hides and the commands to end it', async () => {
    const kafka = testKafka();
    const stage = await open(kafka, { partitions: 1 });
    const { topics, logs } = stage;
    await publishInTurn(kafka, topics.input, ['a', 'b', 'c'].map(photoEvent), 1);
    const left = await openTransaction(kafka, topics.input, [photoEvent('never ended')]);
    await publishInTurn(kafka, topics.input, ['d', 'e'].map(photoEvent), 1);
    const service = await stage.start();
    const url = await service.url();
    await until(async () => (await countRecords(kafka, topics.verdicts)) === 3, { explain: logs });
    const named = (): string | undefined =>
      service
        .output()
        .split('\n')
        .find((line) => line.includes('"kind":"open-transaction"'));
    await until(() => named() !== undefined, { explain: logs });

    const { msg, level, partition } = JSON.parse(named() ?? '') as Record<string, string>;
    const where = `${topics.input}/0`;
    expect({ level, partition }).toEqual({ level: 'warn', partition: where });
    expect(msg).toContain(`${where} stands at offset 3`);
    expect(msg).toMatch(/an open transaction of producer \d+ hides 3 records behind it/);
    expect(msg).toContain(`describe-producers --topic ${topics.input} --partition 0`);
    expect(msg).toContain(`abort --topic ${topics.input} --partition 0 --start-offset 3`);
    const ready = await fetch(`${url}/readyz?verbose`);
    expect([ready.status, await ready.text()]).toEqual([200, expect.stringContaining(msg ?? '')]);
    const metrics = parsePrometheusText(await (await fetch(`${url}/metrics`)).text());
    expect(metrics.value('moderato_stalls', { kind: 'open-transaction' })).toBe(1);
    expect(metrics.value('moderato_consumer_open_transaction_records')).toBe(3);

    await left.end('abort');
    await until(async () => (await countRecords(kafka, topics.verdicts)) === 5, { explain: logs });
    const over = `moving again: open-transaction ${where}`;
    await until(() => service.output().includes(over), { explain: logs });
    expect(await service.end('SIGTERM')).toBe(0);
  });
});
