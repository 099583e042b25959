import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SendQueue, type Parcel, type SendQueueOptions } from '../../src/producers/send-queue.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

interface Letter extends Parcel {
  id: string;
}

const letter = (id: string, bytes = 10): Letter => ({ id, bytes, count: 1 });

/** A queue whose requests are recorded, and answered by `answer` when given. */
function createQueue(
  options: Partial<SendQueueOptions<Letter>> & {
    answer?: (ids: string[]) => Promise<void>;
  } = {},
) {
  const clock = new FakeClock();
  const requests: string[][] = [];
  const queue = new SendQueue<Letter>({
    send: async (letters) => {
      const ids = letters.map(({ id }) => id);
      requests.push(ids);
      await options.answer?.(ids);
    },
    isOneParcelsFault: () => false,
    lingerMs: 5,
    maxBytes: () => 100,
    maxMessages: 10,
    clock,
    ...options,
  });
  return { queue, clock, requests };
}

describe('the send queue', () => {
  it('puts what arrives within the linger into one request', async () => {
    const { queue, clock, requests } = createQueue();
    const sent = [queue.add(letter('a'))];
    await clock.advance(4);
    sent.push(queue.add(letter('b')));
    expect(requests).toEqual([]);
    await clock.advance(1);
    await Promise.all(sent);
    expect(requests).toEqual([['a', 'b']]);
  });

  it('waits for nobody when the linger is 0', async () => {
    const { queue, requests } = createQueue({ lingerMs: 0 });
    await queue.add(letter('a'));
    expect(requests).toEqual([['a']]);
  });

  it('does not linger once a request is full', async () => {
    const { queue, clock, requests } = createQueue();
    const sent = ['a', 'b', 'c'].map((id) => queue.add(letter(id, 40)));
    await settle();
    expect(requests).toEqual([['a', 'b']]);
    await clock.advance(5);
    await Promise.all(sent);
    expect(requests).toEqual([['a', 'b'], ['c']]);
  });

  it('sends a parcel larger than a request may be alone', async () => {
    const { queue, clock, requests } = createQueue();
    const sent = [letter('a'), letter('huge', 5_000), letter('b')].map((each) => queue.add(each));
    await clock.advance(20);
    await Promise.all(sent);
    expect(requests).toEqual([['a'], ['huge'], ['b']]);
  });

  it('has one request under way at a time, and fills the next meanwhile', async () => {
    const answers: Array<() => void> = [];
    const { queue, clock, requests } = createQueue({
      answer: () => new Promise((resolve) => answers.push(resolve)),
    });
    const sent = [queue.add(letter('a'))];
    await clock.advance(5);
    sent.push(queue.add(letter('b')), queue.add(letter('c')));
    await clock.advance(60);
    expect(requests).toEqual([['a']]);
    answers[0]?.();
    await settle();
    expect(requests).toEqual([['a'], ['b', 'c']]); // at once: they have waited long enough
    answers[1]?.();
    await Promise.all(sent);
  });

  it('rejects exactly the parcels of the request that failed', async () => {
    const { queue, clock } = createQueue({
      maxMessages: 2,
      answer: (ids) =>
        ids.includes('b') ? Promise.reject(new Error('no broker')) : Promise.resolve(),
    });
    const outcomes = Promise.allSettled(['a', 'b', 'c'].map((id) => queue.add(letter(id))));
    await clock.advance(20);
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
    ]);
  });

  it('tells the parcel at fault from the others of its request by halving it', async () => {
    const { queue, clock, requests } = createQueue({
      isOneParcelsFault: () => true,
      answer: (ids) =>
        ids.includes('b') ? Promise.reject(new Error('too large')) : Promise.resolve(),
    });
    const outcomes = Promise.allSettled(['a', 'b', 'c'].map((id) => queue.add(letter(id))));
    await clock.advance(20);
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(requests).toEqual([['a', 'b', 'c'], ['a', 'b'], ['a'], ['b'], ['c']]);
  });

  it('does not linger once it is hurried', async () => {
    const { queue, requests } = createQueue({ lingerMs: 60_000 });
    const waiting = queue.add(letter('a'));
    await settle();
    queue.hurry();
    await waiting;
    await queue.add(letter('b'));
    expect(requests).toEqual([['a'], ['b']]);
  });

  it('sends every parcel once, in order, in requests within both bounds', async () => {
    const arrivals = fc.array(
      fc.record({
        bytes: fc.integer({ min: 1, max: 150 }),
        afterMs: fc.integer({ min: 0, max: 8 }),
      }),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(arrivals, async (letters) => {
        const { queue, clock, requests } = createQueue({ maxMessages: 5 });
        const sent: Array<Promise<void>> = [];
        for (const [index, { bytes, afterMs }] of letters.entries()) {
          sent.push(queue.add(letter(String(index), bytes)));
          if (afterMs > 0) await clock.advance(afterMs);
        }
        queue.hurry();
        await Promise.all(sent);
        expect(requests.flat()).toEqual(letters.map((_, index) => String(index)));
        for (const request of requests) {
          const total = request.reduce((sum, id) => sum + (letters[Number(id)]?.bytes ?? 0), 0);
          expect(request.length === 1 || total <= 100).toBe(true);
          expect(request.length).toBeLessThanOrEqual(5);
        }
      }),
      { numRuns: 50 },
    );
  });
});
