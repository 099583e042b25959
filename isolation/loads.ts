/** What waits in front of light events, one load a row of the table. */
import { pathToFileURL } from 'node:url';
import type { LaneSettings } from '../src/lane.ts';
import type { Event, Place } from './publisher.ts';
import type { World } from './world.ts';

export const LOAD_NAMES = [
  'small',
  'large',
  'host-503',
  'host-silent',
  'host-trickle',
  'tenant',
  'backfill',
] as const;
export type LoadName = (typeof LOAD_NAMES)[number];

/** Parts of the configuration that a load sets beside what all have. */
export interface LoadSettings {
  pipeline?: Record<string, unknown>;
  http?: Record<string, unknown>;
}

export interface Load {
  name: string;
  /** Hot events, in a full run and in a smoke run. */
  events: { full: number; smoke: number };
  /** How long hot events run alone in a full run, in s; 0: light events begin together with them. */
  aloneSeconds: number;
  /** The input topics: the first is that of light events. */
  input: readonly [LaneSettings, ...LaneSettings[]];
  /** What must become of every hot event: a judgement, or a code of `not_inspected`. */
  expected: string;
  settings(world: World, isSmoke: boolean): LoadSettings;
  hot(world: World, index: number): { event: Event; place: Place };
  light(index: number): { tenant: string | null; place: Place };
  /** Ends the trouble, after the last light event. */
  relieve?(world: World): void;
}

export const PARTITIONS = 4;
export const LIGHT_PARTITIONS = [1, 2, 3] as const;
const IMAGES = 'images';
const LIVE = 'live';
const BACKFILL = 'backfill';
const ONE_LANE: readonly [LaneSettings] = [{ topic: IMAGES, weight: 1 }];

/** Light events have partitions of their own. */
function inOwnPartitions(topic: string): Load['light'] {
  return (index) => {
    const partition = LIGHT_PARTITIONS[index % LIGHT_PARTITIONS.length] ?? 1;
    return { tenant: null, place: { topic, partition } };
  };
}

function hotPartition(uriOf: (world: World, index: number) => string): Load['hot'] {
  return (world, index) => ({
    event: { image: { uri: uriOf(world, index) } },
    place: { topic: IMAGES, partition: 0 },
  });
}

const smallFile = ({ pictures, dice }: World): string =>
  pathToFileURL(dice.pick(pictures).file).href;

function host(
  name: LoadName,
  portOf: (world: World) => number,
  onOutage: 'hold' | 'give-up',
): Load & { name: LoadName } {
  return {
    name,
    events: { full: 300, smoke: 40 },
    aloneSeconds: 0,
    expected: onOutage === 'hold' ? 'judged' : 'image_host_unavailable',
    input: ONE_LANE,
    settings: (world, isSmoke) => ({ http: httpSettings(portOf(world), onOutage, isSmoke) }),
    hot: hotPartition((world, index) => `http://127.0.0.1:${portOf(world)}/${index}.jpg`),
    light: inOwnPartitions(IMAGES),
  };
}

function httpSettings(port: number, onOutage: 'hold' | 'give-up', isSmoke: boolean) {
  const patienceMs = isSmoke ? 500 : 2_000;
  return {
    allowHosts: ['127.0.0.1'],
    allowPorts: [port],
    allowAddresses: ['127.0.0.0/8'],
    connectTimeoutMs: patienceMs,
    headersTimeoutMs: patienceMs,
    bodyTimeoutMs: patienceMs,
    totalTimeoutMs: patienceMs,
    onOutage,
    attempts: 2,
  };
}

export const LOADS: ReadonlyArray<Load & { name: LoadName }> = [
  {
    name: 'small',
    events: { full: 6_000, smoke: 600 },
    aloneSeconds: 10,
    expected: 'judged',
    input: ONE_LANE,
    settings: () => ({}),
    hot: hotPartition(smallFile),
    light: inOwnPartitions(IMAGES),
  },
  {
    name: 'large',
    events: { full: 600, smoke: 16 },
    aloneSeconds: 20,
    expected: 'judged',
    input: ONE_LANE,
    settings: () => ({}),
    hot: hotPartition(({ large }) => pathToFileURL(large).href),
    light: inOwnPartitions(IMAGES),
  },
  {
    ...host('host-503', ({ hosts }) => hosts.away, 'hold'),
    relieve: ({ hosts }) => hosts.recover(),
  },
  host('host-silent', ({ hosts }) => hosts.silent, 'give-up'),
  host('host-trickle', ({ hosts }) => hosts.trickle, 'give-up'),
  {
    name: 'tenant',
    events: { full: 6_000, smoke: 600 },
    aloneSeconds: 10,
    expected: 'judged',
    input: ONE_LANE,
    settings: () => ({ pipeline: { fairBy: 'tenant' } }),
    hot: (world) => ({
      event: { tenant: 'hot', image: { uri: smallFile(world) } },
      place: { topic: IMAGES, partition: 0 },
    }),
    light: (index) => ({
      tenant: `light-${index % LIGHT_PARTITIONS.length}`,
      place: { topic: IMAGES, partition: 0 },
    }),
  },
  {
    name: 'backfill',
    events: { full: 6_000, smoke: 600 },
    aloneSeconds: 10,
    expected: 'judged',
    input: [
      { topic: LIVE, weight: 8 },
      { topic: BACKFILL, weight: 1 },
    ],
    settings: () => ({}),
    hot: (world, index) => ({
      event: { image: { uri: smallFile(world) } },
      place: { topic: BACKFILL, partition: index % PARTITIONS },
    }),
    light: inOwnPartitions(LIVE),
  },
];

/** The same records in all partitions, for what the machine can do. */
export function spreadOverPartitions(load: Load): Load {
  return {
    ...load,
    name: 'small-spread',
    hot: (world, index) => {
      const { event, place } = load.hot(world, index);
      return { event, place: { ...place, partition: index % PARTITIONS } };
    },
  };
}
