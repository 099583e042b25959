import Table from 'cli-table3';
import type { Results } from './results.ts';
import type { Percentiles } from './statistics.ts';

const PLAIN = { head: [], border: [] };

export function scoringTable({ scoring }: Results): string {
  if (scoring === null) return '';
  const { inference, rows } = scoring;
  const table = new Table({
    head: [
      ...[
        'policies',
        'prompts',
        'compared in the graph',
        'compared afterwards',
        'softmax, outcome',
      ],
      ...['of the inference', 'known from before'],
    ],
    style: PLAIN,
    colAligns: Array(7).fill('right') as 'right'[],
  });
  const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
  for (const row of rows) {
    const { similaritiesInGraph, similaritiesOfKept, softmaxAndDecide } = row;
    table.push([
      ...[row.policies, row.prompts].map((count) => count.toLocaleString('en')),
      ...[similaritiesInGraph, similaritiesOfKept, softmaxAndDecide].map((ms) => ms.toFixed(3)),
      ...[row.shareNew, row.shareKept].map(percent),
    ]);
  }
  return (
    'Scores, ms of CPU an image, against a ViT-B/32 (random weights, batches of ' +
    `${inference.batchSize}, ${inference.msPerImage.toFixed(1)} ms of CPU an image):\n${table.toString()}`
  );
}

export function latencyTable({ latency }: Results): string {
  if (latency === null) return '';
  const { capacity, arrivals, batch, waitMs, rows } = latency;
  const table = new Table({
    head: [
      ...['load', 'events/s', 'latency', 'p99 of the rounds'],
      ...['to the service', 'in it', 'to the log', 'decode', 'queue', 'infer', 'generator late'],
    ],
    style: PLAIN,
  });
  for (const { load, rate, latency: all, p99, parts, stages, generatorLate } of rows) {
    const { toService, inService, toLog } = parts;
    const { decode, queue, infer } = stages;
    table.push([
      `${load * 100} %`,
      rate.toFixed(0),
      `${all.p50.toFixed(0)} / ${all.p90.toFixed(0)} / ${all.p99.toFixed(0)}`,
      `${p99.median.toFixed(0)} (${p99.min.toFixed(0)}–${p99.max.toFixed(0)})`,
      ...[toService, inService, toLog, decode, queue, infer, generatorLate].map(ends),
    ]);
  }
  return [
    `Latency over Kafka, ms, p50 / p90 / p99 (parts: p50 / p99); ${arrivals === 'even' ? 'even' : 'Poisson'} arrivals, open loop; ` +
      `capacity ${capacity.toFixed(0)} events/s:`,
    table.toString(),
    `Largest batch: ${batch.size} images in ${batch.ms.toFixed(0)} ms; batching waits ${waitMs} ms at most.`,
  ].join('\n');
}

const ends = ({ p50, p99 }: Percentiles): string => `${p50.toFixed(0)} / ${p99.toFixed(0)}`;

export function trendTable({ memory }: Results): string {
  if (memory === null) return '';
  const table = new Table({
    head: ['', 'first', 'last', 'highest, MiB', 'slope, MiB/h', '95 % interval'],
    style: PLAIN,
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  });
  for (const [series, { first, last, highest, trend }] of Object.entries(memory.series)) {
    const { perHour, halfWidth } = trend;
    table.push([
      series,
      ...[first, last, highest].map((value) => value.toFixed(0)),
      perHour.toFixed(1),
      `${(perHour - halfWidth).toFixed(1)} to ${(perHour + halfWidth).toFixed(1)}`,
    ]);
  }
  return (
    `Memory over the second half of ${memory.minutes} min at ${memory.rate.toFixed(0)} of ` +
    `${memory.capacity.toFixed(0)} events/s (${memory.events.toLocaleString('en')} events, tiny model):\n${table.toString()}`
  );
}

export function targetTable({ targets }: Results): string {
  const measured = targets.filter(({ met }) => met !== null);
  if (measured.length === 0) return '';
  const table = new Table({
    head: ['', 'target', 'wanted', 'measured', ''],
    style: PLAIN,
  });
  for (const { id, what, wanted, measured: value, met } of measured) {
    table.push([id, what, wanted, value?.toPrecision(3) ?? '', met ? 'met' : 'MISSED']);
  }
  const open = targets.filter(({ met }) => met === null).map(({ id }) => id);
  const rest = open.length > 0 ? `\nNot to be told from this run: ${open.join(', ')}.` : '';
  return `${table.toString()}${rest}`;
}

export function faultLines({ faults }: Results): string {
  return Object.entries(faults)
    .map(([name, fault]) => `${name}: not measured: ${fault}`)
    .join('\n');
}
