import { describe, expect, it } from '@jest/globals';
import type { SourceStatus } from '../../src/consumers/event-source.ts';
import { Health } from '../../src/observability/health.ts';

const aStatus = (overrides: Partial<SourceStatus> = {}): SourceStatus => ({
  alive: true,
  assigned: true,
  paused: false,
  partitions: [{ topic: 'images', partition: 0, committed: 0, lag: 0 }],
  ...overrides,
});

/** Everything as it should be, then what the test changes. */
function aHealth(change: (health: Health) => void = () => undefined): Health {
  const health = new Health();
  health.modelLoaded('starter');
  health.topicsChecked('3 topics');
  health.observeSource(() => aStatus());
  change(health);
  return health;
}

const failing = (health: Health, probe: 'live' | 'ready'): string[] =>
  health[probe]()
    .checks.filter((check) => !check.ok)
    .map((check) => check.name);

describe('the probes', () => {
  it.each<{ state: string; health: Health; live: string[]; ready: string[] }>([
    { state: 'working', health: aHealth(), live: [], ready: [] },
    {
      state: 'just started',
      health: new Health(),
      live: [],
      ready: ['model', 'topics', 'assignment'],
    },
    {
      state: 'not assigned yet',
      health: aHealth((health) => health.observeSource(() => aStatus({ assigned: false }))),
      live: [],
      ready: ['assignment'],
    },
    {
      state: 'assigned no partition, because there are more instances than partitions',
      health: aHealth((health) => health.observeSource(() => aStatus({ partitions: [] }))),
      live: [],
      ready: [],
    },
    {
      state: 'paused by back-pressure',
      health: aHealth((health) => health.observeSource(() => aStatus({ paused: true }))),
      live: [],
      ready: [],
    },
    {
      state: 'the consumer is dead',
      health: aHealth((health) => health.observeSource(() => aStatus({ alive: false }))),
      live: ['consumer'],
      ready: ['consumer'],
    },
    {
      state: 'draining',
      health: aHealth((health) => health.draining()),
      live: [],
      ready: ['draining'],
    },
    {
      state: 'draining, the consumer already gone',
      health: aHealth((health) => {
        health.observeSource(() => aStatus({ alive: false }));
        health.draining();
      }),
      live: [],
      ready: ['draining'],
    },
    {
      state: 'the process cannot go on',
      health: aHealth((health) => health.died('encoder_failed: the worker is gone')),
      live: ['process'],
      ready: ['process'],
    },
  ])('$state: live fails $live, ready fails $ready', ({ health, live, ready }) => {
    expect(failing(health, 'live')).toEqual(live);
    expect(failing(health, 'ready')).toEqual(ready);
    expect(health.live().status).toBe(live.length === 0 ? 'ok' : 'unavailable');
    expect(health.ready().status).toBe(ready.length === 0 ? 'ok' : 'unavailable');
  });

  it('keep the first reason of a death', () => {
    const health = aHealth();
    health.died('the first');
    health.died('what followed from it');
    expect(health.live().checks[0]).toEqual({ name: 'process', ok: false, detail: 'the first' });
  });
});
