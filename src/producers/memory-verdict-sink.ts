import type { Clock } from '../clock.ts';
import type { Emission, VerdictSink } from './verdict-sink.ts';

export interface MemoryVerdictSinkOptions {
  /** Called for each emission once it is taken, for example to show it. */
  onEmission?: (emission: Emission) => void;
  /** What stands for the broker's answer: an error rejects the emission, which is then not kept. */
  acknowledge?: (emission: Emission) => Promise<void>;
  /** How long an acknowledgement takes, in ms. @default 0 */
  latencyMs?: number;
  /** Needed for a latency. */
  clock?: Clock;
}

/** A sink that keeps what was emitted, in the order of acknowledgement. */
export interface MemoryVerdictSink extends VerdictSink {
  readonly emissions: readonly Emission[];
}

/** For running without a broker, and for tests. */
export function createMemoryVerdictSink(options: MemoryVerdictSinkOptions = {}): MemoryVerdictSink {
  const { latencyMs = 0, clock } = options;
  const emissions: Emission[] = [];
  const underWay = new Set<Promise<void>>();
  let closed = false;

  const take = async (emission: Emission): Promise<void> => {
    if (latencyMs > 0) await clock?.sleep(latencyMs);
    await options.acknowledge?.(emission);
    emissions.push(emission);
    options.onEmission?.(emission);
  };

  return {
    emissions,
    emit: async (emission) => {
      if (closed) throw new Error('the sink is closed: nothing more can be emitted');
      const taken = take(emission);
      underWay.add(taken);
      await taken.finally(() => underWay.delete(taken));
    },
    close: async () => {
      closed = true;
      await Promise.allSettled(underWay);
    },
  };
}
