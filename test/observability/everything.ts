import { AppError } from '../../src/errors.ts';
import type { RunningTelemetry } from '../../src/observability/otel-telemetry.ts';
import { aNotInspectedVerdict, aRecord, aVerdict } from '../support/builders.ts';

/** Makes every instrument have a value. */
export function useEveryInstrument(running: RunningTelemetry): void {
  const { telemetry } = running;
  const { model, bundle } = aVerdict();
  running.describeModel({ model, bundle });
  running.observeDecoders(() => ({ crash: 1 }));
  running.observeSource(() => ({
    alive: true,
    assigned: true,
    paused: false,
    throttledMs: 1_500,
    partitions: [
      { topic: 'images', partition: 0, committed: 1, lag: 2, end: 9, lastStable: 5 },
      { topic: 'images', partition: 1, committed: 1, lag: 2, end: 9, lastStable: 9 },
    ],
  }));
  running.observeTrouble({
    absent: () => [
      { dependency: 'https://a.example', waiting: 2, ms: 5_000 },
      { dependency: 'https://b.example', waiting: 3, ms: 5_000 },
      { dependency: 'registry', waiting: 1, ms: 5_000 },
    ],
    stalls: () => [{ kind: 'open-transaction', where: 'images/0', message: '' }],
  });
  running.observeCache(() => ({ entries: 3, bytes: 6_000 }));
  telemetry.cacheAnswered({ store: 'memory', by: 'sha256' });
  telemetry.cacheAnswered(null);
  telemetry.cacheFailed('read');
  telemetry.listLoaded('known-bad', 3);
  telemetry.listFailed('known-bad');
  telemetry.inFlight(1);
  telemetry.batchInferred(1, 16, 20);
  telemetry.retried('fetch', new AppError('image_store_unavailable', 'down'), 1);
  const event = telemetry.eventStarted(aRecord());
  event.entered('fetch');
  event.stage('fetch', 0, 1);
  event.finished(aVerdict());
  telemetry.eventStarted(aRecord()).finished(aNotInspectedVerdict());
  telemetry.eventStarted(aRecord()).abandoned(new Error('lost'));
}
