import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../src/clock.ts';
import { AppError } from '../../src/errors.ts';
import { CONTRACTS, IMAGE_EVENT } from '../../src/events/schemas.ts';
import { createWriterSchemas } from '../../src/events/writer-schemas.ts';
import { anImageEvent } from '../support/builders.ts';
import { MemorySchemaRegistry } from '../support/memory-schema-registry.ts';

/** Time passes only by sleeping and by `pass`. */
class HandClock implements Clock {
  time = 0;
  readonly slept: number[] = [];
  now = () => this.time;
  elapsed = () => this.time;
  sleep = (ms: number) => {
    this.slept.push(ms);
    this.time += ms;
    return Promise.resolve();
  };
}

function setUp(options: { maxKept?: number; maxKeptLength?: number } = {}) {
  const registry = new MemorySchemaRegistry();
  const clock = new HandClock();
  const contract = CONTRACTS.imageEvent;
  const readerOf = createWriterSchemas({ contract, registry, clock, ...options });
  return { registry, clock, readerOf };
}

const unavailable = new AppError('registry_unavailable', 'no answer');

describe('createWriterSchemas', () => {
  it('asks for an id once, however many records wait for it', async () => {
    const { registry, readerOf } = setUp();
    const id = registry.add(CONTRACTS.imageEvent.text);

    const readers = await Promise.all(Array.from({ length: 50 }, () => readerOf(id)));
    await readerOf(id);

    expect(registry.lookups).toEqual([id]);
    expect(readers[49]?.(IMAGE_EVENT.toBuffer(anImageEvent()), [])).toEqual(anImageEvent());
  });

  it('asks again as soon as the registry failed: an outage is not remembered', async () => {
    const { registry, readerOf } = setUp();
    const id = registry.add(CONTRACTS.imageEvent.text);
    registry.failure = unavailable;
    await expect(Promise.all([readerOf(id), readerOf(id)])).rejects.toBe(unavailable);

    registry.failure = null;
    await expect(readerOf(id)).resolves.toBeInstanceOf(Function);
    expect(registry.lookups).toEqual([id, id]);
  });

  it('remembers an unknown id only briefly, since it may be registered any time', async () => {
    const { registry, clock, readerOf } = setUp();
    for (let i = 0; i < 10; i++) {
      await expect(readerOf(1)).rejects.toMatchObject({ code: 'event_schema_unknown' });
    }
    expect(registry.lookups).toEqual([1]);

    registry.add(CONTRACTS.imageEvent.text);
    clock.time += 10_000;
    await expect(readerOf(1)).resolves.toBeInstanceOf(Function);
  });

  it('asks a flood of garbage ids one by one, with a pause after each', async () => {
    const { registry, clock, readerOf } = setUp();
    const ids = Array.from({ length: 30 }, (_, i) => 1_000 + i);

    const results = await Promise.allSettled(ids.map((id) => readerOf(id)));

    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(registry.lookups).toEqual(ids);
    expect(clock.slept).toHaveLength(29);
    expect(clock.time).toBe(2_900);
  });

  it('serves known ids at once while garbage is queueing', async () => {
    const { registry, clock, readerOf } = setUp();
    const id = registry.add(CONTRACTS.imageEvent.text);
    await readerOf(id);
    const garbage = Promise.allSettled([readerOf(900), readerOf(901), readerOf(902)]);
    await readerOf(id);
    expect(clock.slept).toEqual([]);
    await garbage;
  });

  it('keeps a bounded number of readers, dropping the least recently used', async () => {
    const { registry, readerOf } = setUp({ maxKept: 2 });
    const text = JSON.parse(CONTRACTS.imageEvent.text) as object;
    const [a, b, c] = ['a', 'b', 'c'].map((doc) => registry.add(JSON.stringify({ ...text, doc })));
    if (a === undefined || b === undefined || c === undefined) throw new Error('no ids');

    for (const id of [a, b, a, c, a, b]) await readerOf(id);

    expect(registry.lookups).toEqual([a, b, c, b]);
  });

  it('remembers what strangers name within bounds, in number and in size', async () => {
    const { registry, readerOf } = setUp({ maxKeptLength: 3_000 });
    const text = JSON.parse(CONTRACTS.imageEvent.text) as object;
    const small = registry.add(CONTRACTS.imageEvent.text);
    const large = registry.add(JSON.stringify({ ...text, doc: 'x'.repeat(10_000) }));

    for (const id of [small, large, large, small]) await readerOf(id);

    expect(registry.lookups).toEqual([small, large, large]);
  });

  it('asks once for an id that is named a thousand times in vain', async () => {
    const { registry, readerOf } = setUp();
    for (let i = 0; i < 1_000; i++) await readerOf(77).catch(() => undefined);
    expect(registry.lookups).toEqual([77]);
  });

  it.each([
    ['text', 'nonsense'],
    ['a type that nobody knows', '{"type":"nonsense"}'],
    ['a type that refers to nothing', '{"type":"array","items":"constructor"}'],
    ['a type named __proto__ that is not there', '"__proto__"'],
    ['a number', '5'],
    ['null', 'null'],
    ['a record without fields', '{"type":"record","name":"ImageEvent"}'],
    ['a record whose fields are null', '{"type":"record","name":"ImageEvent","fields":[null]}'],
    ['an enum of numbers', '{"type":"enum","name":"E","symbols":[1]}'],
    ['a fixed of a negative size', '{"type":"fixed","name":"F","size":-1}'],
    ['a union in a union', '[["int"]]'],
    ['an empty union', '[]'],
    ['a name twice', '[{"type":"fixed","name":"F","size":1},{"type":"fixed","name":"F","size":1}]'],
    ['lists a thousand deep', `${'['.repeat(1_000)}${']'.repeat(1_000)}`],
    ['lists a million deep', '['.repeat(1_000_000)],
    [
      'a record that is ours and of one int',
      '{"type":"record","name":"ImageEvent","fields":[{"name":"eventId","type":"int"}]}',
    ],
  ])('refuses %s as a schema', async (_, schema) => {
    const { registry, readerOf } = setUp();
    await expect(readerOf(registry.add(schema))).rejects.toMatchObject({
      code: 'event_schema_incompatible',
    });
  });

  it('refuses a schema that cannot be read as ours, and says so for each record without asking again', async () => {
    const { registry, readerOf } = setUp();
    const other = {
      type: 'record',
      name: 'ImageEvent',
      fields: [{ name: 'eventId', type: 'int' }],
    };
    const id = registry.add(JSON.stringify(other));
    for (let i = 0; i < 3; i++) {
      await expect(readerOf(id)).rejects.toMatchObject({ code: 'event_schema_incompatible' });
    }
    expect(registry.lookups).toEqual([id]);
  });
});
