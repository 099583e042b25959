import type { Attributes, Meter } from '@opentelemetry/api';
import type { PartitionStatus, SourceStatus } from '../consumers/event-source.ts';

/** What `status` says of the consumer at each collection. */
export function observeSource(meter: Meter, status: () => SourceStatus): void {
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableGauge(name, { unit, description });
  const lag = gauge(
    'moderato.consumer.lag',
    '{record}',
    'Records not yet resolved, by input topic, over the partitions assigned to this instance; 0 once none is.',
  );
  const partitionLag = gauge(
    'moderato.consumer.partition.lag',
    '{record}',
    'Records of one partition not yet resolved; 0 once the partition is revoked.',
  );
  const partitions = gauge(
    'moderato.consumer.partitions',
    '{partition}',
    'Partitions assigned to this instance.',
  );
  const paused = gauge('moderato.consumer.paused', '', '1 while fetching is paused.');
  const alive = gauge('moderato.consumer.alive', '', '0 once the consumer cannot receive records.');
  const hidden = gauge(
    'moderato.consumer.open_transaction.records',
    '{record}',
    'Records that open transactions of producers hide, over all partitions assigned to this instance.',
  );
  const throttled = meter.createObservableCounter('moderato.consumer.throttled', {
    unit: 's',
    description: 'Time for which brokers have asked this instance to slow down.',
  });
  // The SDK repeats a gauge's last value for ever: the lag of a partition that another instance now owns would
  // be counted twice.
  const seen = new Map<string, Attributes>();
  const topics = new Set<string>();
  meter.addBatchObservableCallback(
    (result) => {
      const now = status();
      for (const { topic, partition } of now.partitions) {
        seen.set(`${topic}/${partition}`, { topic, partition: String(partition) });
      }
      const owned = new Set(now.partitions.map((each) => `${each.topic}/${each.partition}`));
      for (const [key, labels] of seen)
        if (!owned.has(key)) result.observe(partitionLag, 0, labels);
      const byTopic = Map.groupBy(now.partitions, ({ topic }) => topic);
      for (const topic of topics) if (!byTopic.has(topic)) result.observe(lag, 0, { topic });
      for (const [topic, each] of byTopic) {
        topics.add(topic);
        const known = each.filter(({ lag: behind }) => behind !== null);
        for (const { partition, lag: behind } of known) {
          result.observe(partitionLag, behind ?? 0, { topic, partition: String(partition) });
        }
        if (known.length === each.length) {
          result.observe(lag, sum(known.map(({ lag: behind }) => behind ?? 0)), { topic });
        }
      }
      result.observe(partitions, now.partitions.length);
      result.observe(paused, Number(now.paused));
      result.observe(alive, Number(now.alive));
      result.observe(hidden, sum(now.partitions.map(hiddenIn)));
      result.observe(throttled, (now.throttledMs ?? 0) / 1000);
    },
    [lag, partitionLag, partitions, paused, alive, hidden, throttled],
  );
}

/** Records between the last stable offset and the end of the log. */
function hiddenIn({ lastStable, end }: PartitionStatus): number {
  return lastStable === undefined || end === undefined ? 0 : Math.max(0, end - lastStable);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
