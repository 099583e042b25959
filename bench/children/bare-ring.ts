/** In memory that all threads share: two counters, and for each slot the event that it holds. */
export interface RingMemory {
  state: SharedArrayBuffer;
  /** `[slots, bytes of one image]` */
  pixels: SharedArrayBuffer;
}

const TAKEN = 0;
const DONE = 1;
const FIRST_SLOT = 2;

export function createRing(slots: number, imageBytes: number): RingMemory {
  return {
    state: new SharedArrayBuffer((FIRST_SLOT + slots) * Int32Array.BYTES_PER_ELEMENT),
    pixels: new SharedArrayBuffer(slots * imageBytes),
  };
}

/**
 * Pixels on their way from the threads that decode to the one that infers. Waiting blocks the thread, so that
 * nothing is between the two but a copy of the pixels.
 */
export class Ring {
  readonly #state: Int32Array;
  readonly #pixels: Uint8Array;
  readonly #slots: number;
  readonly #imageBytes: number;

  constructor({ state, pixels }: RingMemory) {
    this.#state = new Int32Array(state);
    this.#pixels = new Uint8Array(pixels);
    this.#slots = this.#state.length - FIRST_SLOT;
    this.#imageBytes = pixels.byteLength / this.#slots;
  }

  /** The next event that nobody decodes yet. */
  take(): number {
    return Atomics.add(this.#state, TAKEN, 1);
  }

  /** Waits until the slot is free. */
  put(event: number, data: Uint8Array): void {
    this.#until(DONE, (done) => done > event - this.#slots);
    const slot = event % this.#slots;
    this.#pixels.set(data, slot * this.#imageBytes);
    Atomics.store(this.#state, FIRST_SLOT + slot, event + 1);
    Atomics.notify(this.#state, FIRST_SLOT + slot);
  }

  /** Waits for `count` events from `first` on, whose slots must not reach over the end. Release them afterwards. */
  batch(first: number, count: number): Uint8Array {
    const slot = first % this.#slots;
    for (let index = 0; index < count; index++) {
      this.#until(FIRST_SLOT + slot + index, (event) => event === first + index + 1);
    }
    return this.#pixels.subarray(slot * this.#imageBytes, (slot + count) * this.#imageBytes);
  }

  release(count: number): void {
    Atomics.add(this.#state, DONE, count);
    Atomics.notify(this.#state, DONE);
  }

  #until(index: number, holds: (value: number) => boolean): void {
    for (let value = Atomics.load(this.#state, index); !holds(value);) {
      Atomics.wait(this.#state, index, value);
      value = Atomics.load(this.#state, index);
    }
  }
}
