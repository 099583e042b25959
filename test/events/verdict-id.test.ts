import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { verdictId, type VerdictOrigin } from '../../src/events/verdict-id.ts';

const ORIGIN: VerdictOrigin = {
  eventId: 'event-1',
  topic: 'images',
  partition: 2,
  offset: 40,
  modelHash: 'aa',
  preprocessing: 'pp',
  bundleHash: 'bb',
};

describe('verdictId', () => {
  it('is the same for the same record, model, preprocessing and bundle', () => {
    expect(verdictId({ ...ORIGIN })).toBe(verdictId(ORIGIN));
    expect(verdictId(ORIGIN)).toMatch(/^[0-9a-f]{32}$/);
  });

  it('never changes between releases, or a duplicate across an upgrade could not be told', () => {
    expect(verdictId(ORIGIN)).toBe('0983b42a22eb9ae7d7f626accc1e447b');
  });

  it.each<Partial<VerdictOrigin>>([
    { eventId: null },
    { eventId: '' },
    { eventId: 'event-2' },
    { topic: 'images2' },
    { partition: 24, offset: 0 },
    { offset: 41 },
    { modelHash: 'ab' },
    { preprocessing: 'pq' },
    { bundleHash: 'ba' },
  ])('changes with %j', (change) => {
    expect(verdictId({ ...ORIGIN, ...change })).not.toBe(verdictId(ORIGIN));
  });

  it('tells an event without an id from one whose id is empty', () => {
    expect(verdictId({ ...ORIGIN, eventId: null })).not.toBe(verdictId({ ...ORIGIN, eventId: '' }));
  });

  it('lets no two origins run together, however their parts are cut', () => {
    // Few letters and short parts: equal concatenations are common here.
    const part = fc.string({ unit: fc.constantFrom('a', '1', '\u0000'), maxLength: 3 });
    const origin = fc.record<VerdictOrigin>({
      eventId: fc.option(part),
      topic: part,
      partition: fc.nat(12),
      offset: fc.nat(12),
      modelHash: part,
      preprocessing: part,
      bundleHash: part,
    });
    fc.assert(
      fc.property(origin, origin, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(verdictId(one) === verdictId(other)).toBe(same);
      }),
      { numRuns: 2_000 },
    );
  });

  it('holds for every way of cutting one text into parts', () => {
    const ids = new Set<string>();
    let count = 0;
    const text = 'aaaaaa';
    for (let i = 0; i <= text.length; i++) {
      for (let j = i; j <= text.length; j++) {
        const [eventId, modelHash, bundleHash] = [
          text.slice(0, i),
          text.slice(i, j),
          text.slice(j),
        ];
        ids.add(verdictId({ ...ORIGIN, eventId, modelHash, bundleHash }));
        count++;
      }
    }
    expect(ids.size).toBe(count);
  });
});
