import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { startTelemetry, type RunningTelemetry } from '../../src/observability/otel-telemetry.ts';
import { packageFile } from '../../src/package-files.ts';
import type { Scrape } from '../support/prometheus-text.ts';
import { useEveryInstrument } from './everything.ts';
import { scrape } from './scrape.ts';

interface Dashboard {
  panels: Array<{
    id: number;
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
    targets?: Array<{ expr: string }>;
  }>;
}
interface Rules {
  groups: Array<{ rules: Array<{ alert: string; expr: string }> }>;
}

const read = (path: string): string => readFileSync(packageFile(path), 'utf8');
const dashboard = JSON.parse(read('deploy/grafana/moderato.json')) as Dashboard;
const rules = parse(read('deploy/grafana/alerts.yaml')) as Rules;

const expressions = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ where: `panel ${title}`, expr })),
  ),
  ...rules.groups.flatMap((group) =>
    group.rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })),
  ),
];

let running: RunningTelemetry;
let metrics: Scrape;

beforeAll(async () => {
  running = await startTelemetry({
    serviceName: 'moderato',
    serviceVersion: '1.2.3',
    registerPrometheus: true,
  });
  useEveryInstrument(running);
  await sleep(50); // the event-loop delay is sampled every 10 ms
  metrics = await scrape(running);
});
afterAll(() => running.shutdown());

/** Every place in `expr` where PromQL's own grammar does not understand it. */
function faults(expr: string): string[] {
  const found: string[] = [];
  parser.parse(expr).iterate({
    enter: (node) => {
      if (node.type.isError) found.push(`${expr.slice(0, node.from)}⟨here⟩`);
    },
  });
  return found;
}

/** The metrics that `expr` selects from. */
function metricsIn(expr: string): string[] {
  const names: string[] = [];
  parser.parse(expr).iterate({
    enter: (node) => {
      if (node.name === 'VectorSelector') {
        names.push(expr.slice(node.from, node.to).replace(/\{.*/s, ''));
      }
    },
  });
  return names;
}

/** Grafana puts a duration in the place of its variable. */
const filledIn = (expr: string): string => expr.replaceAll('$__rate_interval', '5m');

describe('the dashboard and the alerts', () => {
  it.each(expressions)('$where is PromQL over metrics that a scrape has', ({ expr }) => {
    const promql = filledIn(expr);
    expect(faults(promql)).toEqual([]);
    const names = metricsIn(promql);
    expect(names).not.toEqual([]);
    const scraped = new Set(metrics.samples.map((sample) => sample.name));
    expect(names.filter((name) => !scraped.has(name))).toEqual([]);
  });

  it.each(expressions)('$where groups by labels that its metrics have', ({ expr }) => {
    const labels = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap((match) =>
      String(match[1]).split(/, */),
    );
    const scraped = metrics.samples.filter(({ name }) => metricsIn(filledIn(expr)).includes(name));
    const known = new Set([...scraped.flatMap((each) => Object.keys(each.labels)), 'instance']);
    expect(labels.filter((label) => !known.has(label))).toEqual([]);
  });

  it('has panels that do not overlap', () => {
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, taken.has(`${x},${y}`)]).toEqual([title, false]);
          taken.add(`${x},${y}`);
        }
      }
    }
    expect(new Set(dashboard.panels.map((panel) => panel.id)).size).toBe(dashboard.panels.length);
  });
});

describe('docs/metrics.md', () => {
  it('documents every metric of a scrape, with its type and labels, and no other', () => {
    const documented = [
      ...read('docs/metrics.md').matchAll(/^\| `(\w+)` *\| (\w+) *\| ([^|]*)\|/gm),
    ];
    const described = new Map(
      documented.map(([, name, type, labels]) => [
        String(name),
        `${type} ${labelNames(String(labels))}`,
      ]),
    );
    const scraped = new Map(
      [...metrics.types].map(([name, type]) => [name, `${type} ${labelsOf(name)}`]),
    );
    // The resource is whatever the environment says.
    described.delete('target_info');
    scraped.delete('target_info');
    expect(described).toEqual(scraped);
  });
});

function labelNames(cell: string): string {
  return [...cell.matchAll(/`(\w+)`/g)]
    .map((match) => String(match[1]))
    .sort()
    .join();
}

function labelsOf(family: string): string {
  const names = metrics.samples
    .filter(({ name }) => name.replace(/_(bucket|sum|count)$/, '') === family || name === family)
    .flatMap(({ labels }) => Object.keys(labels))
    .filter((label) => label !== 'le');
  return [...new Set(names)].sort().join();
}
