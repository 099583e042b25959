import { startHttpServer } from '../../src/observability/http-server.ts';
import { Health } from '../../src/observability/health.ts';
import type { RunningTelemetry } from '../../src/observability/otel-telemetry.ts';
import { parsePrometheusText, type Scrape } from '../support/prometheus-text.ts';

/** What Prometheus would read now, over HTTP. */
export async function scrape(running: RunningTelemetry): Promise<Scrape> {
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    health: new Health(),
    metrics: running.metricsHandler,
  });
  try {
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    return parsePrometheusText(await response.text());
  } finally {
    await server.close();
  }
}
