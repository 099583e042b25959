import { describe, expect, it } from '@jest/globals';
import { figuresOf } from '../../isolation/figures.ts';
import { LOADS, spreadOverPartitions, type Load, type LoadName } from '../../isolation/loads.ts';
import type { Found } from '../../isolation/outcomes.ts';
import type { Published, Side } from '../../isolation/publisher.ts';
import type { Trial } from '../../isolation/trial.ts';
import type { World } from '../../isolation/world.ts';
import { Dice } from '../../fuzz/dice.ts';

const loadOf = (name: LoadName): Load => LOADS.find((load) => load.name === name) as Load;

/** Events of one side, `everyMs` apart, each judged `afterMs` after it was published. */
class TrialMaker {
  readonly published = new Map<string, Published>();
  readonly found = new Map<string, Found>();

  add(
    side: Side,
    count: number,
    made: { from: number; everyMs: number; afterMs: number; workMs: number },
  ) {
    for (let index = 0; index < count; index += 1) {
      const id = `${side}-${this.published.size}`;
      const at = made.from + index * made.everyMs;
      this.published.set(id, { side, at });
      this.found.set(id, { outcome: 'judged', at: at + made.afterMs, workMs: made.workMs });
    }
    return this;
  }

  trial(load: Load): Trial {
    const phases = { aloneFrom: 10_000, lightFrom: 20_000, lightUntil: 30_000 };
    return { load, published: this.published, found: this.found, phases, breaches: [] };
  }
}

/** 100 hot events a second from 10 s to 40 s, 90 of them without the tenth that light events cost. */
const busy = (): TrialMaker =>
  new TrialMaker()
    .add('idle', 10, { from: 0, everyMs: 100, afterMs: 30, workMs: 10 })
    .add('probe', 3, { from: 2_000, everyMs: 1_000, afterMs: 60, workMs: 40 })
    .add('hot', 1_000, { from: 10_000, everyMs: 10, afterMs: 5, workMs: 900 })
    .add('hot', 1_800, { from: 20_000, everyMs: 12.5, afterMs: 5, workMs: 900 })
    .add('light', 30, { from: 20_000, everyMs: 333, afterMs: 200, workMs: 500 });

describe('the figures of a load', () => {
  it('have the latency of light events, behind the load and without it', () => {
    const { light, idle } = figuresOf(busy().trial(loadOf('small')));
    expect(light).toEqual({ published: 30, judged: 30, latency: { p50: 200, p99: 200, max: 200 } });
    expect(idle.max).toBe(30);
  });

  it('have the longest service of events that wait for no other', () => {
    expect(figuresOf(busy().trial(loadOf('small'))).longestServiceMs).toBe(40);
  });

  it('count a light event as the part of a hot one that it costs', () => {
    const { throughput } = figuresOf(busy().trial(loadOf('small')));
    expect(throughput?.alone).toBeCloseTo(100, 0);
    expect(throughput?.withLight).toBeCloseTo(80, 0);
    expect(throughput?.total).toBeCloseTo((80 + 3 / 4) / 100, 1);
  });

  it('know no throughput with light events when no hot one is left for them', () => {
    const trial = new TrialMaker()
      .add('hot', 100, { from: 10_000, everyMs: 10, afterMs: 5, workMs: 1 })
      .trial(loadOf('small'));
    expect(figuresOf(trial).throughput).toMatchObject({ withLight: undefined, total: undefined });
  });

  it('have no throughput where hot events are never alone', () => {
    expect(figuresOf(busy().trial(loadOf('host-503'))).throughput).toBeUndefined();
  });

  it('tell events that have no verdict, or another one than they should', () => {
    const maker = busy();
    for (const [id, { side }] of maker.published) {
      if (side === 'light') maker.found.delete(id);
      else if (side === 'probe')
        maker.found.set(id, { outcome: 'image_not_found', at: 0, workMs: 0 });
    }
    const { light, hot } = figuresOf(maker.trial(loadOf('small')));
    expect([light.judged, hot.unexpected]).toEqual([0, 3]);
    expect(hot.outcomes.get('image_not_found')).toBe(3);
  });
});

describe('a load', () => {
  const world = {
    root: '/r',
    large: '/r/large.webp',
    pictures: [{ file: '/r/a.jpg', bytes: Buffer.from('a') }],
    dice: new Dice(1),
    hosts: { away: 1, silent: 2, trickle: 3 },
  } as unknown as World;

  it.each(LOADS)('$name: publishes hot and light events to its own topics', (load) => {
    const topics = load.input.map(({ topic }) => topic);
    const places = [0, 1, 2, 3].flatMap((index) => [
      load.hot(world, index).place,
      load.light(index).place,
    ]);
    expect(places.filter(({ topic }) => !topics.includes(topic))).toEqual([]);
    expect(load.light(0).place.topic).toBe(topics[0]);
  });

  it.each(LOADS.filter(({ name }) => name !== 'tenant' && name !== 'backfill'))(
    '$name: keeps hot events in a partition without light ones',
    (load) => {
      const hot = [0, 1, 2].map((index) => load.hot(world, index).place.partition);
      const light = [0, 1, 2].map((index) => load.light(index).place.partition);
      expect([hot, light]).toEqual([
        [0, 0, 0],
        [1, 2, 3],
      ]);
    },
  );

  it('is the same in all partitions for what the machine can do', () => {
    const spread = spreadOverPartitions(loadOf('small'));
    expect([0, 1, 2, 3].map((index) => spread.hot(world, index).place.partition)).toEqual([
      0, 1, 2, 3,
    ]);
  });
});
