import { FairTurns } from './fair-turns.ts';

/** Flows that may wait, idle, with what they have used, before those that owe nothing are forgotten. */
const MAX_IDLE_FLOWS = 1_000;

/** What waits of one flow, in order. */
interface Line<T> {
  readonly name: string;
  readonly items: T[];
}

/** A queue in which flows take turns by what their items cost; first come, first served within a flow. */
export class FairQueue<T> {
  readonly #lines = new Map<string, Line<T>>();
  readonly #turns = new FairTurns<Line<T>>();
  #size = 0;

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /** The next item of each flow. */
  heads(): T[] {
    return [...this.#lines.values()].flatMap(({ items }) => items.slice(0, 1));
  }

  push(flow: string, item: T): void {
    this.#line(flow).items.push(item);
    this.#size += 1;
  }

  /** Puts back what was taken: it is the next of its flow. */
  unshift(flow: string, item: T): void {
    this.#line(flow).items.unshift(item);
    this.#size += 1;
  }

  /** @param cost - charged now; correct it with `charge` once the real cost is known */
  shift(cost = 1): T | undefined {
    if (this.#size === 0) return undefined;
    const line = this.#turns.next(({ items }) => items.length > 0);
    const item = line?.items.shift();
    if (line === undefined) return undefined;
    this.#size -= 1;
    this.#turns.charge(line, cost);
    return item;
  }

  /** Takes, of the next items of all flows, the one that sorts first, whichever flow's turn it is. */
  shiftFirst(compare: (a: T, b: T) => number): T | undefined {
    let first: Line<T> | undefined;
    for (const line of this.#lines.values()) {
      const [item] = line.items;
      const [other] = first?.items ?? [];
      if (item === undefined) continue;
      if (other === undefined || compare(item, other) < 0) first = line;
    }
    const item = first?.items.shift();
    if (item !== undefined) this.#size -= 1;
    return item;
  }

  /** @param cost - what a turn of the flow cost beyond what was charged; may be negative */
  charge(flow: string, cost: number): void {
    const line = this.#lines.get(flow);
    if (line) this.#turns.charge(line, cost);
  }

  /** Takes out what waits and meets the condition, in no particular order. */
  remove(isMeant: (item: T) => boolean): T[] {
    const removed: T[] = [];
    for (const { items } of this.#lines.values()) {
      const { yes = [], no = [] } = Object.groupBy(items, (item) => (isMeant(item) ? 'yes' : 'no'));
      removed.push(...yes);
      items.splice(0, items.length, ...no);
    }
    this.#size -= removed.length;
    return removed;
  }

  #line(name: string): Line<T> {
    const known = this.#lines.get(name);
    if (known) return known;
    if (this.#lines.size >= MAX_IDLE_FLOWS) this.#forgetIdle();
    const line: Line<T> = { name, items: [] };
    this.#lines.set(name, line);
    this.#turns.add(line);
    return line;
  }

  #forgetIdle(): void {
    for (const line of this.#lines.values()) {
      if (line.items.length > 0 || this.#turns.owes(line)) continue;
      this.#lines.delete(line.name);
      this.#turns.remove(line);
    }
  }
}
