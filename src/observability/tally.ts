import type { Attributes, Meter, MetricOptions } from '@opentelemetry/api';

interface Entry {
  readonly attributes: Attributes;
  count: number;
}

/** A counter that is told to the SDK only when metrics are collected: counting costs a look-up in a map. */
export interface Tally<T> {
  add(counted: T): void;
}

/** `keyOf` tells apart what `attributesOf` does, and is cheap. */
export function createTally<T>(
  meter: Meter,
  name: string,
  options: MetricOptions,
  {
    keyOf,
    attributesOf,
  }: { keyOf: (counted: T) => string; attributesOf: (counted: T) => Attributes },
): Tally<T> {
  const entries = new Map<string, Entry>();
  meter.createObservableCounter(name, options).addCallback((result) => {
    for (const { attributes, count } of entries.values()) result.observe(count, attributes);
  });
  return {
    add: (counted) => {
      const key = keyOf(counted);
      const entry = entries.get(key);
      if (entry) entry.count += 1;
      else entries.set(key, { attributes: attributesOf(counted), count: 1 });
    },
  };
}
