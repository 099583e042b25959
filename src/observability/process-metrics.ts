import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Meter } from '@opentelemetry/api';

const NS_PER_S = 1e9;
const RESOLUTION_MS = 10;

/**
 * The main process's memory, CPU time and event-loop delay, under their semantic-convention names. A delay is
 * that since the last collection. Returns the function that stops the sampling.
 */
export function observeProcess(meter: Meter): () => void {
  const memory = meter.createObservableGauge('process.memory.usage', {
    description: 'Resident memory of the main process, inference threads included.',
    unit: 'By',
  });
  const heap = meter.createObservableGauge('v8js.memory.heap.used', {
    description: 'JavaScript heap in use.',
    unit: 'By',
  });
  const cpu = meter.createObservableCounter('process.cpu.time', {
    description: 'CPU time of the main process, inference threads included.',
    unit: 's',
  });
  const delays = [50, 99].map((percentile) => ({
    percentile,
    gauge: meter.createObservableGauge(`nodejs.eventloop.delay.p${percentile}`, {
      description: `Event-loop delay, percentile ${percentile}.`,
      unit: 's',
    }),
  }));
  const longest = meter.createObservableGauge('nodejs.eventloop.delay.max', {
    description: 'Longest event-loop delay.',
    unit: 's',
  });
  const utilization = meter.createObservableGauge('nodejs.eventloop.utilization', {
    description: 'Share of the time in which the event loop was busy.',
    unit: '1',
  });

  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let lastUtilization = performance.eventLoopUtilization();

  meter.addBatchObservableCallback(
    (result) => {
      result.observe(memory, process.memoryUsage.rss());
      result.observe(heap, process.memoryUsage().heapUsed);
      const { user, system } = process.cpuUsage();
      result.observe(cpu, user / 1e6, { 'cpu.mode': 'user' });
      result.observe(cpu, system / 1e6, { 'cpu.mode': 'system' });
      if (delay.count > 0) {
        for (const { percentile, gauge } of delays) {
          result.observe(gauge, beyondTimer(delay.percentile(percentile)));
        }
        result.observe(longest, beyondTimer(delay.max));
        delay.reset();
      }
      const now = performance.eventLoopUtilization();
      result.observe(
        utilization,
        performance.eventLoopUtilization(now, lastUtilization).utilization,
      );
      lastUtilization = now;
    },
    [memory, heap, cpu, longest, utilization, ...delays.map(({ gauge }) => gauge)],
  );
  return () => {
    delay.disable();
  };
}

/** Node reports the whole interval between two ticks of its sampling timer, in ns; the delay is what exceeds it. */
function beyondTimer(ns: number): number {
  return Math.max(0, ns / NS_PER_S - RESOLUTION_MS / 1000);
}
