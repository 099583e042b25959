import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Kafka, Message } from 'kafkajs';
import type { DeadLetter, Verdict } from '../../src/events/types.generated.ts';
import { createDeadLetterDecoder, decodeVerdict } from '../../src/events/index.ts';
import { withAdmin } from '../../src/kafka/topics.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import { startEmptyRegistry, type EmptyRegistry } from '../support/empty-registry.ts';
import {
  countRecords,
  createTopic,
  publish,
  readAll,
  testKafka,
  uniqueName,
} from '../support/kafka.ts';
import { startService, until, type Service, type ServiceOptions } from '../support/service.ts';

jest.setTimeout(120_000);

const photo = readFileSync(new URL('../fixtures/parity/images/rgb.jpg', import.meta.url));
const MAX_BYTES = 60_000;

const json = (event: object): Buffer => Buffer.from(JSON.stringify(event));
const withImage = (image: object): Buffer => {
  const { eventId, occurredAt } = anImageEvent();
  return json({ eventId, occurredAt, image });
};

interface Case {
  name: string;
  message: Message;
  /** Null: the image is inspected all the same. */
  code: string | null;
  stage: string | null;
  deadLetter: boolean;
}

const bad = (name: string, value: Buffer | null, code: string, stage: string): Case => ({
  name,
  message: { key: name, value },
  code,
  stage,
  deadLetter: stage === 'decode',
});

const UNKNOWN_ID = Buffer.from([0, 0, 0, 0, 77, 1, 2, 3]);

const CASES: Case[] = [
  bad('garbage bytes', Buffer.from('\x07garbage'), 'event_undecodable', 'decode'),
  bad('cut-off JSON', Buffer.from('{"eventId": "x'), 'event_undecodable', 'decode'),
  bad('an unknown schema id', UNKNOWN_ID, 'event_schema_unknown', 'decode'),
  bad('a field missing', json({ eventId: 'x', occurredAt: 1 }), 'event_invalid', 'decode'),
  bad('neither bytes nor uri', withImage({}), 'event_invalid', 'decode'),
  bad('a null value', null, 'event_empty', 'decode'),
  bad('an empty image', withImage({ bytes: '' }), 'image_empty', 'fetch'),
  bad(
    'an image over the byte limit',
    withImage({ bytes: Buffer.alloc(MAX_BYTES + 1).toString('base64') }),
    'image_too_large',
    'fetch',
  ),
  bad(
    'an unknown scheme',
    withImage({ uri: 'gopher://x/a.jpg' }),
    'image_scheme_unsupported',
    'fetch',
  ),
  bad('no uri at all', withImage({ uri: 'not a uri' }), 'image_uri_invalid', 'fetch'),
  bad(
    'a file outside the root',
    withImage({ uri: 'file:///etc/passwd' }),
    'image_outside_root',
    'fetch',
  ),
  bad(
    'a wrong hash',
    withImage({ bytes: photo.toString('base64'), sha256: '0'.repeat(64) }),
    'image_hash_mismatch',
    'fetch',
  ),
  bad(
    'an image that is cut within its header',
    withImage({ bytes: photo.subarray(0, 300).toString('base64') }),
    'image_truncated',
    'preprocess',
  ),
  bad(
    'no image',
    withImage({ bytes: Buffer.from('%PDF-1.7 hello').toString('base64') }),
    'image_format_unsupported',
    'preprocess',
  ),
  {
    name: 'invalid UTF-8 in the key',
    message: {
      key: Buffer.from([0xff, 0xfe, 0x80]),
      value: asJson(anImageEvent({ image: { bytes: photo } })),
    },
    code: null,
    stage: null,
    deadLetter: false,
  },
];

describe('what each bad input gets', () => {
  let kafka: Kafka;
  let root: string;
  let registry: EmptyRegistry;
  const services: Service[] = [];

  beforeAll(async () => {
    kafka = testKafka();
    root = await mkdtemp(join(tmpdir(), 'moderato-root-'));
    registry = await startEmptyRegistry();
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.end('SIGKILL')));
    registry.close();
    await rm(root, { recursive: true });
  });

  async function start(messages: Message[], topics: Partial<ServiceOptions['topics']> = {}) {
    const options: ServiceOptions = {
      groupId: uniqueName('group'),
      topics: {
        input: await createTopic(kafka),
        verdicts: await createTopic(kafka),
        deadLetters: await createTopic(kafka),
        ...topics,
      },
      config: {
        images: { root, maxBytes: MAX_BYTES, decoders: 1 },
        registry: { url: registry.url },
      },
    };
    await publish(kafka, options.topics.input, messages);
    const service = await startService(options);
    services.push(service);
    return { service, ...options };
  }

  const committed = async (groupId: string, topic: string): Promise<string | undefined> => {
    const offsets = await withAdmin(kafka, 'reading offsets', (admin) =>
      admin.fetchOffsets({ groupId, topics: [topic] }),
    );
    return offsets[0]?.partitions[0]?.offset;
  };

  describe('once the whole table has gone through one partition', () => {
    let verdicts: Array<{ key: Buffer | null; verdict: Verdict }>;
    let letters: DeadLetter[];
    let position: string | undefined;

    beforeAll(async () => {
      const { service, topics, groupId } = await start(CASES.map(({ message }) => message));
      await until(async () => (await countRecords(kafka, topics.verdicts)) >= CASES.length, {
        explain: service.output,
      });
      expect(await service.end('SIGTERM')).toBe(0);
      const records = await readAll(kafka, topics.verdicts);
      verdicts = await Promise.all(
        records.map(async ({ key, value }) => ({ key, verdict: await decodeVerdict(value) })),
      );
      const decoder = createDeadLetterDecoder();
      letters = await Promise.all(
        (await readAll(kafka, topics.deadLetters)).map(({ value }) => decoder.decode(value)),
      );
      position = await committed(groupId, topics.input);
    });

    it('has one verdict for each record and has committed behind the last', () => {
      const offsets = verdicts.map(({ verdict }) => verdict.input.offset).sort((a, b) => a - b);
      expect(offsets).toEqual([...CASES.keys()]);
      expect(position).toBe(String(CASES.length));
    });

    it.each(CASES.map((testCase, offset) => ({ ...testCase, offset })))(
      '$name: $code at $stage',
      ({ message, offset, code, stage, deadLetter }) => {
        const found = verdicts.find(({ verdict }) => verdict.input.offset === offset);
        expect(found?.key).toEqual(Buffer.from(message.key ?? ''));
        expect(found?.verdict.reason?.code ?? null).toBe(code);
        expect(found?.verdict.reason?.stage ?? null).toBe(stage);
        expect(found?.verdict.outcome).toBe(code === null ? 'allow' : 'not_inspected');
        const letter = letters.find((l) => l.offset === offset);
        expect(letter !== undefined).toBe(deadLetter);
        if (letter) {
          expect(letter.error.code).toBe(code);
          expect(letter.value).toEqual(message.value);
          expect(letter.key).toEqual(Buffer.from(message.key ?? ''));
        }
      },
    );
  });

  it('the registry down: held, not judged, not committed, and judged once it is back', async () => {
    registry.down(true);
    const { service, topics, groupId } = await start([{ key: 'held', value: UNKNOWN_ID }]);
    await service.url();
    await until(() => service.output().includes('registry_unavailable'), {
      explain: service.output,
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await countRecords(kafka, topics.verdicts)).toBe(0);
    expect(await countRecords(kafka, topics.deadLetters)).toBe(0);
    expect(await committed(groupId, topics.input)).toBe('0'); // where the group began

    registry.down(false);
    await until(async () => (await countRecords(kafka, topics.verdicts)) === 1, {
      explain: service.output,
    });
    expect(await service.end('SIGTERM')).toBe(0);
    expect(await committed(groupId, topics.input)).toBe('1');
  });

  it('a verdict topic that does not exist: refused at the start, nothing committed', async () => {
    const { service, topics, groupId } = await start(
      [{ value: asJson(anImageEvent({ image: { bytes: photo } })) }],
      { verdicts: uniqueName('absent') },
    );
    expect(await service.ended).toBe(1);
    expect(service.output()).toContain('topic_missing');
    expect(service.output()).toContain('moderato topics create');
    expect(await committed(groupId, topics.input)).toBe('-1');
  });
});
