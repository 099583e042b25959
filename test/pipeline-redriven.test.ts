import { describe, expect, it } from '@jest/globals';
import { MemoryTopic } from '../src/consumers/memory-topic.ts';
import { redrivenHeaders, originOf } from '../src/events/origin.ts';
import type { DeadLetter } from '../src/events/types.generated.ts';
import { anImageEvent, asJson } from './support/builders.ts';
import { setUpPipeline } from './support/pipeline.ts';

const GARBAGE = Buffer.from('garbage');
const KEY = 'a redrive key of the tests, long enough';

/** Judges the records and returns what was emitted for each. */
async function judge(
  records: ConstructorParameters<typeof MemoryTopic>[0],
  redriveKey: string | undefined = KEY,
) {
  const parts = { redriveKey };
  const { pipeline, sink } = setUpPipeline({ topic: new MemoryTopic(records), parts });
  await pipeline.run();
  return sink.emissions;
}

/** As a redrive publishes it. */
const redriven = (letter: DeadLetter, topic = 'images') => {
  const { key, value, attempts } = letter;
  const origin = originOf(letter, KEY);
  const headers = redrivenHeaders(letter.headers, { topic, key, value, origin, attempts }, KEY);
  return { key, value, headers };
};

describe('a redriven record', () => {
  const origin = { topic: 'images', partition: 0, offset: 0 };

  it('whose cause persists makes a dead letter of the same origin that counts the attempts', async () => {
    const [first] = await judge({ topic: 'images', records: [{ value: GARBAGE }] });
    const letter = first?.deadLetter as DeadLetter;
    expect(letter).toMatchObject({ attempts: 1, ...origin });

    const others = [{ value: GARBAGE }, { value: GARBAGE }];
    const second = await judge({ topic: 'images', records: [...others, redriven(letter)] });
    const again = second[2]?.deadLetter as DeadLetter;
    expect(again).toMatchObject({ attempts: 2, partition: 0, offset: 2 });
    expect(originOf(again, KEY)).toEqual(origin);
    expect(second[2]?.verdict.verdictId).toBe(first?.verdict.verdictId);

    const [third] = await judge({ topic: 'elsewhere', records: [redriven(again, 'elsewhere')] });
    expect(third?.deadLetter?.attempts).toBe(3);
    expect(originOf(third?.deadLetter as DeadLetter, KEY)).toEqual(origin);
  });

  it('has one verdict id however often it is redriven, and says where it lay itself', async () => {
    const value = asJson(anImageEvent({ image: { bytes: Buffer.from('gun') } }));
    const again = (attempts: number) => ({
      key: null,
      value,
      headers: redrivenHeaders([], { topic: 'images', key: null, value, origin, attempts }, KEY),
    });
    const emissions = await judge({ topic: 'images', records: [{ value }, again(1), again(2)] });
    expect(new Set(emissions.map(({ verdict }) => verdict.verdictId)).size).toBe(1);
    expect(emissions.map(({ verdict }) => verdict.input.offset)).toEqual([0, 1, 2]);
    expect(emissions[1]?.headers).toContainEqual({
      name: 'moderato-origin',
      value: Buffer.from('images/0/0'),
    });
  });

  it('has an id of its own where its origin is not proven: forged, or without a key in the service', async () => {
    const value = asJson(anImageEvent({ image: { bytes: Buffer.from('gun') } }));
    const claim = { name: 'moderato-origin', value: Buffer.from('images/0/0') };
    const mac = { name: 'moderato-origin-mac', value: Buffer.from('0'.repeat(64)) };
    const records = [
      { value },
      { value, headers: [claim] },
      { value, headers: [claim, mac] },
      {
        value,
        headers: redrivenHeaders(
          [],
          { topic: 'images', key: null, value, origin, attempts: 1 },
          'the key of a stranger, long enough',
        ),
      },
    ];
    const ids = async (key: string | undefined) =>
      new Set((await judge({ topic: 'images', records }, key)).map((e) => e.verdict.verdictId))
        .size;
    expect(await ids(KEY)).toBe(4);
    expect(await ids(undefined)).toBe(4);
  });

  it('is not taken for one by a malformed header', async () => {
    const headers = [{ name: 'moderato-origin', value: Buffer.from('images/0') }];
    const [plain, malformed] = await judge({
      topic: 'images',
      records: [{ value: GARBAGE }, { value: GARBAGE, headers }],
    });
    expect(malformed?.verdict.verdictId).not.toBe(plain?.verdict.verdictId);
    expect(malformed?.deadLetter).toMatchObject({ attempts: 1, offset: 1 });
  });
});
