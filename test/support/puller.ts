import type { Delivery, EventSource } from '../../src/consumers/event-source.ts';

/** Pulls from a source by hand. */
export class Puller {
  readonly source: EventSource;
  readonly #iterator: AsyncIterator<Delivery>;

  constructor(source: EventSource) {
    this.source = source;
    this.#iterator = source.deliveries()[Symbol.asyncIterator]();
  }

  /** The next delivery; undefined at the end. */
  async next(): Promise<Delivery | undefined> {
    const next = await this.#iterator.next();
    return next.done ? undefined : next.value;
  }

  async take(count: number): Promise<Delivery[]> {
    const taken: Delivery[] = [];
    while (taken.length < count) {
      const delivery = await this.next();
      if (!delivery) throw new Error(`the deliveries ended after ${taken.length} of ${count}`);
      taken.push(delivery);
    }
    return taken;
  }
}

/** `count` records for each partition, with the values `partition/n`. */
export function numbered(
  partitions: number,
  count: number,
): Array<{ partition: number; key: null; value: Buffer }> {
  return upTo(count).flatMap((n) =>
    upTo(partitions).map((partition) => ({
      partition,
      key: null,
      value: Buffer.from(`${partition}/${n}`),
    })),
  );
}

export function offsets(deliveries: readonly Delivery[]): number[] {
  return deliveries.map(({ record }) => record.offset);
}

export function upTo(count: number): number[] {
  return [...Array(count).keys()];
}

/** Waits for the outside world, which sends no event when it changes. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waiting for: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
