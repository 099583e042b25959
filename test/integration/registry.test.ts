import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SchemaRegistry as OtherClient, SchemaType } from '@kafkajs/confluent-schema-registry';
import {
  createEventDecoder,
  createMessageEncoder,
  createSchemaRegistry,
  createVerdictDecoder,
  type SchemaRegistry,
} from '../../src/events/index.ts';
import { CONTRACTS, IMAGE_EVENT, VERDICT, parseSchema } from '../../src/events/schemas.ts';
import { aVerdict, anImageEvent } from '../support/builders.ts';
import { confluent } from '../support/memory-schema-registry.ts';
import { startSchemaRegistry, type RunningRegistry } from '../support/schema-registry.ts';

let server: RunningRegistry;
let registry: SchemaRegistry;
let other: OtherClient;

beforeAll(async () => {
  server = await startSchemaRegistry();
  registry = createSchemaRegistry({ url: server.url });
  other = new OtherClient({ host: server.url });
}, 180_000);
afterAll(async () => {
  await server.stop();
});

const schemaWith = (text: string, field: object) => {
  const schema = JSON.parse(text) as { fields: object[] };
  return JSON.stringify({ ...schema, fields: [...schema.fields, field] });
};

describe('against a real schema registry', () => {
  it('a verdict is written and read with nothing shared but the registry', async () => {
    const encoder = createMessageEncoder({ format: 'confluent', registry });
    const { value } = await encoder.encodeVerdict(aVerdict(), 'verdicts');

    const consumer = createVerdictDecoder({ registry: createSchemaRegistry({ url: server.url }) });
    expect(await consumer.decode(value)).toEqual(aVerdict());
    expect(value.readInt32BE(1)).toBe(await other.getLatestSchemaId('verdicts-value'));
  });

  it('another client reads our verdicts', async () => {
    const encoder = createMessageEncoder({ format: 'confluent', registry });
    const { value } = await encoder.encodeVerdict(aVerdict(), 'verdicts');
    expect(await other.decode(value)).toEqual(aVerdict());
  });

  it("we read another client's image events", async () => {
    const schema = { type: SchemaType.AVRO as const, schema: CONTRACTS.imageEvent.text };
    const { id } = await other.register(schema, { subject: 'images-value' });
    const event = anImageEvent({ labels: { a: 'b' } });
    const value = await other.encode(id, event);
    expect(await createEventDecoder({ registry }).decode(value)).toEqual(event);
  });

  it('registering twice gives one version and the same id', async () => {
    const first = await registry.register('twice-value', CONTRACTS.verdict.text);
    const again = createSchemaRegistry({ url: server.url });
    expect(await again.register('twice-value', CONTRACTS.verdict.text)).toBe(first);
    const versions = await fetch(`${server.url}/subjects/twice-value/versions`);
    expect(await versions.json()).toEqual([1]);
  });

  it('a newer publisher, registered as compatible, is read by us', async () => {
    const newer = schemaWith(CONTRACTS.imageEvent.text, {
      name: 'priority',
      type: 'int',
      default: 0,
    });
    await registry.register('evolving-value', CONTRACTS.imageEvent.text);
    const id = await registry.register('evolving-value', newer);
    const type = parseSchema((await registry.schemaOf(id)).schema);
    const value = confluent(id, type.toBuffer({ ...anImageEvent(), priority: 3 }));
    expect(await createEventDecoder({ registry }).decode(value)).toEqual(anImageEvent());
  });

  it('an incompatible schema under the same subject is refused', async () => {
    const breaking = schemaWith(CONTRACTS.verdict.text, { name: 'must', type: 'int' });
    await registry.register('strict-value', CONTRACTS.verdict.text);
    await expect(registry.register('strict-value', breaking)).rejects.toMatchObject({
      code: 'registry_rejected',
      message: expect.stringMatching(/subject strict-value.*409.*compatibility level/),
    });
  });

  it('a new subject is checked even where the registry by default checks nothing', async () => {
    const setGlobal = async (compatibility: string) => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ compatibility });
      await fetch(`${server.url}/config`, { method: 'PUT', headers, body });
    };
    await setGlobal('NONE');
    try {
      await registry.register('guarded-value', CONTRACTS.verdict.text);
      const breaking = schemaWith(CONTRACTS.verdict.text, { name: 'must', type: 'int' });
      await expect(registry.register('guarded-value', breaking)).rejects.toMatchObject({
        code: 'registry_rejected',
      });
    } finally {
      await setGlobal('BACKWARD');
    }
  });

  it('an id that it does not know is a dead letter, not an outage', async () => {
    const value = confluent(999_999, IMAGE_EVENT.toBuffer(anImageEvent()));
    await expect(createEventDecoder({ registry }).decode(value)).rejects.toMatchObject({
      code: 'event_schema_unknown',
      disposition: 'dead-letter',
    });
  });

  it('a schema of something else is incompatible', async () => {
    const id = await registry.register('verdicts-value', CONTRACTS.verdict.text);
    const value = confluent(id, VERDICT.toBuffer(aVerdict()));
    await expect(createEventDecoder({ registry }).decode(value)).rejects.toMatchObject({
      code: 'event_schema_incompatible',
    });
  });

  it('a schema split over subjects by references is put together', async () => {
    const post = async (subject: string, body: object) => {
      const response = await fetch(`${server.url}/subjects/${subject}/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify(body),
      });
      return ((await response.json()) as { id: number }).id;
    };
    interface RecordSchema {
      namespace: string;
      fields: { name: string; type: unknown }[];
    }
    const event = JSON.parse(CONTRACTS.imageEvent.text) as RecordSchema;
    const image = event.fields.find(({ name }) => name === 'image');
    if (!image) throw new Error('an image event has no image');
    const source = { ...(image.type as object), namespace: event.namespace };
    image.type = 'moderato.v1.ImageSource';
    await post('image-source', { schema: JSON.stringify(source) });
    const references = [{ name: 'moderato.v1.ImageSource', subject: 'image-source', version: 1 }];
    const id = await post('split-value', { schema: JSON.stringify(event), references });

    const value = confluent(id, IMAGE_EVENT.toBuffer(anImageEvent()));
    expect(await createEventDecoder({ registry }).decode(value)).toEqual(anImageEvent());
  });

  it('while it is away records are held, and afterwards they are read', async () => {
    const id = await registry.register('images-value', CONTRACTS.imageEvent.text);
    const value = confluent(id, IMAGE_EVENT.toBuffer(anImageEvent()));
    const gap = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(gap, 'listening');
    const address = gap.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const away = createSchemaRegistry({ url: `http://127.0.0.1:${address.port}` });
    let up = false;
    const decoder = createEventDecoder({
      registry: { ...away, schemaOf: (wanted) => (up ? registry : away).schemaOf(wanted) },
    });
    await expect(decoder.decode(value)).rejects.toMatchObject({
      code: 'registry_unavailable',
      disposition: 'retry',
    });
    gap.close();
    up = true;
    expect(await decoder.decode(value)).toEqual(anImageEvent());
  });
});
