/** What every VerdictSink promises, whatever stands behind it. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Header } from '../../src/events/types.generated.ts';
import type { Emission, VerdictSink } from '../../src/producers/verdict-sink.ts';
import { aDeadLetter, anEmbedding, aVerdict } from './builders.ts';
import { settle } from './fake-clock.ts';

/** One message as a consumer of its topic sees it. */
export interface SeenMessage<T> {
  key: Buffer | null;
  headers: Header[];
  content: T;
}

export interface SinkUnderTest {
  sink: VerdictSink;
  /** Everything acknowledged so far; each in the order it was written, for one key at least. */
  seen: () => Promise<{
    verdicts: Array<SeenMessage<Emission['verdict']>>;
    deadLetters: Array<SeenMessage<NonNullable<Emission['deadLetter']>>>;
    embeddings: Array<SeenMessage<NonNullable<Emission['embedding']>>>;
  }>;
}

/** The topic under test takes no verdict with this label whole, if it has a limit. */
const LARGE_LABEL = { padding: randomBytes(150_000).toString('base64') };

export function anEmission(id: string, overrides: Partial<Emission> = {}): Emission {
  return {
    key: Buffer.from('key-1'),
    headers: [],
    verdict: aVerdict({ verdictId: id }),
    ...overrides,
  };
}

export function describeVerdictSink(adapter: string, create: () => Promise<SinkUnderTest>): void {
  const idsOf = async ({ seen }: SinkUnderTest): Promise<string[]> =>
    (await seen()).verdicts.map(({ content }) => content.verdictId);

  describe(`VerdictSink: ${adapter}`, () => {
    it('has written every part of an emission by the time it resolves', async () => {
      const tested = await create();
      const emission = anEmission('whole', {
        deadLetter: aDeadLetter(),
        embedding: anEmbedding(),
      });
      await tested.sink.emit(emission);
      const { verdicts, deadLetters, embeddings } = await tested.seen();
      expect(verdicts.map(({ content }) => content)).toEqual([emission.verdict]);
      expect(deadLetters.map(({ content }) => content)).toEqual([emission.deadLetter]);
      expect(embeddings.map(({ content }) => content)).toEqual([emission.embedding]);
      await tested.sink.close();
    });

    it("gives every part the input record's key and headers", async () => {
      const tested = await create();
      const key = Buffer.from([0xff, 0x00, 0xfe]); // not UTF-8
      const headers = [
        { name: 'traceparent', value: Buffer.from('00-a-b-01') },
        { name: 'hop', value: Buffer.from('one') },
        { name: 'hop', value: Buffer.from('two') },
      ];
      await tested.sink.emit(
        anEmission('keyed', {
          key,
          headers,
          deadLetter: aDeadLetter(),
          embedding: anEmbedding(),
        }),
      );
      const { verdicts, deadLetters, embeddings } = await tested.seen();
      const all = [...verdicts, ...deadLetters, ...embeddings];
      expect(all).toHaveLength(3);
      for (const message of all) {
        expect(message.key?.equals(key)).toBe(true);
        expect(message.headers).toEqual(expect.arrayContaining(headers));
      }
      await tested.sink.close();
    });

    it('keeps a null key null', async () => {
      const tested = await create();
      await tested.sink.emit(anEmission('keyless', { key: null }));
      expect((await tested.seen()).verdicts.map(({ key }) => key)).toEqual([null]);
      await tested.sink.close();
    });

    it('writes emissions that arrive together once each, those of one key in their order', async () => {
      const tested = await create();
      const ids = Array.from({ length: 200 }, (_, index) => `together-${index}`);
      await Promise.all(ids.map((id) => tested.sink.emit(anEmission(id))));
      expect(await idsOf(tested)).toEqual(ids);
      await tested.sink.close();
    });

    it('emits what is too large all the same, and leaves the others alone', async () => {
      const tested = await create();
      const huge = aVerdict({ verdictId: 'huge', labels: LARGE_LABEL });
      await Promise.all([
        tested.sink.emit(anEmission('before')),
        tested.sink.emit(anEmission('huge', { verdict: huge })),
        tested.sink.emit(anEmission('after')),
      ]);
      await tested.sink.emit(anEmission('later'));
      const { verdicts } = await tested.seen();
      const contents = new Map(verdicts.map(({ content }) => [content.verdictId, content]));
      expect(new Set(contents.keys())).toEqual(new Set(['before', 'huge', 'after', 'later']));
      expect(contents.get('before')?.shrunk).toEqual([]);
      expect(contents.get('huge')).toMatchObject({
        input: huge.input,
        outcome: huge.outcome,
        policies: huge.policies,
      });
      await tested.sink.close();
    });

    it('sends what waits when it is closed', async () => {
      const tested = await create();
      let acknowledged = 0;
      const emitted = ['a', 'b'].map((id) =>
        tested.sink.emit(anEmission(id)).then(() => (acknowledged += 1)),
      );
      await tested.sink.close();
      await settle();
      expect(acknowledged).toBe(2);
      await Promise.all(emitted);
      expect(await idsOf(tested)).toEqual(['a', 'b']);
    });

    it('may be closed twice, and takes nothing more', async () => {
      const { sink } = await create();
      await sink.close();
      await sink.close();
      await expect(sink.emit(anEmission('late'))).rejects.toThrow(/closed/);
    });
  });
}
