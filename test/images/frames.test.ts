import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { chooseFrames, choosePages, type Scene } from '../../src/images/frames.ts';

/** A frame of one colour. */
const scene = (level: number, durationMs = 100): Scene => ({
  durationMs,
  thumbnail: new Uint8Array(12).fill(level),
});

describe('the frames of an animation that are looked at', () => {
  it('are all of them where there are few', () => {
    expect(chooseFrames([scene(0), scene(0), scene(9)], 6, 'seed')).toEqual([0, 1, 2]);
  });

  it('always have the one that is shown longest, wherever it stands', () => {
    fc.assert(
      fc.property(fc.nat(199), fc.string(), (at, seed) => {
        const scenes = Array.from({ length: 200 }, (_, i) => scene(0, i === at ? 60_000 : 20));
        expect(chooseFrames(scenes, 6, seed)).toContain(at);
      }),
    );
  });

  it('have one of a scene that fills 194 of 200 frames, whichever the six others are', () => {
    const others = fc.uniqueArray(fc.nat(199), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(others, fc.string(), (without, seed) => {
        const scenes = Array.from({ length: 200 }, (_, i) => scene(without.includes(i) ? 0 : 90));
        const chosen = chooseFrames(scenes, 6, seed);
        expect(chosen.some((frame) => !without.includes(frame))).toBe(true);
      }),
    );
  });

  it('have a frame that flashes up once and looks like no other', () => {
    const scenes = Array.from({ length: 100 }, (_, i) => scene(i === 71 ? 200 : 40));
    expect(chooseFrames(scenes, 6, 'seed')).toContain(71);
  });

  it('take the shortest display times for what browsers make of them', () => {
    // 0 and 10 ms are shown for 100 ms: longer than 90.
    const scenes = [...Array.from({ length: 20 }, () => scene(0, 90)), scene(50, 10)];
    const [first] = chooseFrames(scenes, 1, 'seed');
    expect(scenes[first as number]?.thumbnail[0]).toBe(0);
    expect(chooseFrames([scene(0, 90), scene(50, 10)], 1, 'seed')).toEqual([1]);
  });

  it('are the same for the same seed, and others for another', () => {
    const scenes = Array.from({ length: 300 }, (_, i) => scene(i % 250));
    expect(chooseFrames(scenes, 6, 'a')).toEqual(chooseFrames(scenes, 6, 'a'));
    const drawn = new Set(
      ['a', 'b', 'c', 'd', 'e'].map((seed) => chooseFrames(scenes, 6, seed).join()),
    );
    expect(drawn.size).toBe(5);
  });

  it('are different, in order, as many as asked for', () => {
    const scenes = fc.array(fc.record({ level: fc.nat(255), ms: fc.nat(500) }), {
      minLength: 1,
      maxLength: 80,
    });
    fc.assert(
      fc.property(scenes, fc.integer({ min: 1, max: 12 }), fc.string(), (all, most, seed) => {
        const chosen = chooseFrames(
          all.map(({ level, ms }) => scene(level, ms)),
          most,
          seed,
        );
        expect(chosen.length).toBe(Math.min(all.length, most));
        expect(chosen).toEqual([...new Set(chosen)].toSorted((a, b) => a - b));
        expect(chosen.every((frame) => frame >= 0 && frame < all.length)).toBe(true);
      }),
    );
  });
});

describe('the pages of a document that are looked at', () => {
  it.each([
    [1, 6, [0]],
    [3, 6, [0, 1, 2]],
    [6, 6, [0, 1, 2, 3, 4, 5]],
    [101, 6, [0, 20, 40, 60, 80, 100]],
    [101, 1, [0]],
    [101, 2, [0, 100]],
  ])('of %d, at most %d', (total, max, frames) => {
    expect(choosePages(total, max)).toEqual(frames);
  });

  it('are different, in order, with the first and the last', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 1e6 }),
        fc.integer({ min: 2, max: 50 }),
        (total, max) => {
          const frames = choosePages(total, max);
          expect(frames.length).toBe(Math.min(total, max));
          expect([frames[0], frames.at(-1)]).toEqual([0, total - 1]);
          expect(frames).toEqual([...new Set(frames)].toSorted((a, b) => a - b));
        },
      ),
    );
  });
});
