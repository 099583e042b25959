import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, expect, it, jest } from '@jest/globals';
import type { PolicyResult, Verdict } from '../../src/events/types.generated.ts';
import { createTopics } from '../../src/kafka/topics.ts';
import { packageFile } from '../../src/package-files.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import { gather } from '../support/gather-verdicts.ts';
import { createTopic, publish, testKafka, uniqueName } from '../support/kafka.ts';
import { parsePrometheusText } from '../support/prometheus-text.ts';
import { startService, until, type Service } from '../support/service.ts';

jest.setTimeout(120_000);

const kafka = testKafka();
const vase = readFileSync(packageFile('samples/vase.jpg'));
const sha256 = createHash('sha256').update(vase).digest('hex');
let service: Service | undefined;
afterAll(() => service?.end('SIGKILL'));

it('a picture is inspected once, and blocked from the moment that it is on a list', async () => {
  const topics = {
    input: await createTopic(kafka),
    verdicts: await createTopic(kafka),
    deadLetters: await createTopic(kafka),
  };
  const list = uniqueName('list');
  const compacted = { 'cleanup.policy': 'compact' };
  await createTopics(kafka, [{ topic: list, partitions: 1, config: compacted }]);
  service = await startService({
    topics,
    groupId: uniqueName('group'),
    config: { lists: [{ id: 'known', kind: 'block', topic: list }] },
  });
  const { output, url } = service;
  const gathered = gather(kafka, topics.verdicts);
  let published = 0;
  const judged = async (): Promise<Verdict | undefined> => {
    const event = anImageEvent({ eventId: `event-${(published += 1)}`, image: { bytes: vase } });
    await publish(kafka, topics.input, [{ value: asJson(event) }]);
    await until(() => gathered.verdicts.length === published, { explain: output });
    return gathered.verdicts.at(-1);
  };

  const first = await judged();
  const second = await judged();
  expect(first).toMatchObject({ outcome: 'allow', reused: null, lists: [] });
  expect(first?.image?.pdq?.quality).toBeGreaterThan(50);
  expect(second).toMatchObject({
    outcome: 'allow',
    reused: { by: 'sha256', store: 'memory', sha256 },
    policies: first?.policies.map(almost),
  });

  await publish(kafka, list, [{ key: 'case 7', value: JSON.stringify({ sha256 }) }]);
  let last: Verdict | undefined;
  await until(async () => (last = await judged())?.outcome === 'block', { explain: output });
  expect(last).toMatchObject({
    lists: [{ list: 'known', kind: 'block', entry: 'case 7', by: 'sha256' }],
    policies: [],
    reused: null,
  });
  expect(last?.bundle.hash).not.toBe(first?.bundle.hash);

  const metrics = parsePrometheusText(await (await fetch(`${await url()}/metrics`)).text());
  expect(metrics.value('moderato_cache_hits_total', { store: 'memory', by: 'sha256' })).toBe(
    published - 2, // All but the first and the one that was on the list.
  );
  expect(metrics.value('moderato_cache_misses_total', {})).toBe(1);
  expect(metrics.value('moderato_list_entries', { list: 'known' })).toBe(1);
  expect(await service.end('SIGTERM')).toBe(0);
  await gathered.stop();
});

/** The graph and we sum in different orders. */
function almost({ score, cosine, margin, ...same }: PolicyResult): object {
  const near = (number: number): unknown => expect.closeTo(number, 5);
  return { ...same, score: near(score), cosine: near(cosine), margin: margin && near(margin) };
}
