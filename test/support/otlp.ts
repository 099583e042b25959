/** A collector that keeps the spans it is sent (opentelemetry-proto, trace/v1). */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fields, fixed64, text } from './protobuf.ts';

export interface SpanData {
  traceId: string;
  spanId: string;
  /** Empty for a root. */
  parentId: string;
  name: string;
  /** Nanoseconds since the epoch. */
  start: bigint;
  end: bigint;
  /** `traceId/spanId` of each. */
  links: string[];
}

export interface Collector {
  /** Its base URL. */
  readonly url: string;
  /** Everything it has been sent, in the order in which the spans ended. */
  spans(): SpanData[];
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const spans: SpanData[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/traces') spans.push(...spansOf(Buffer.concat(chunks)));
      response.writeHead(200).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => [...spans],
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** ExportTraceServiceRequest: resource_spans = 1, scope_spans = 2, spans = 2. */
function spansOf(request: Buffer): SpanData[] {
  return fields(request, 1)
    .flatMap((resourceSpans) => fields(resourceSpans, 2))
    .flatMap((scopeSpans) => fields(scopeSpans, 2))
    .map((span) => ({
      traceId: hex(span, 1),
      spanId: hex(span, 2),
      parentId: hex(span, 4),
      name: fields(span, 5).map(text).join(''),
      start: fixed64(span, 7),
      end: fixed64(span, 8),
      links: fields(span, 13).map((link) => `${hex(link, 1)}/${hex(link, 2)}`),
    }));
}

function hex(message: Buffer, number: number): string {
  return Buffer.concat(fields(message, number)).toString('hex');
}
