import { afterEach, describe, expect, it } from '@jest/globals';
import { Health } from '../../src/observability/health.ts';
import {
  startHttpServer,
  type HttpHandler,
  type HttpServer,
} from '../../src/observability/http-server.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(health = new Health(), metrics: HttpHandler | null = null): Promise<string> {
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, health, metrics });
  servers.push(server);
  return `http://127.0.0.1:${server.port}`;
}

describe('the probe server', () => {
  it('answers 200 and 503 with the checks behind them', async () => {
    const url = await serve();
    const live = await fetch(`${url}/livez`);
    expect(live.status).toBe(200);
    expect(await live.json()).toEqual({
      status: 'ok',
      checks: [
        { name: 'process', ok: true, detail: 'running' },
        { name: 'consumer', ok: true, detail: 'not started yet' },
      ],
    });
    const ready = await fetch(`${url}/readyz?verbose`);
    expect(ready.status).toBe(503);
    expect(ready.headers.get('content-type')).toMatch('application/json');
    expect(await ready.json()).toMatchObject({ status: 'unavailable' });
  });

  it('follows the state from one request to the next', async () => {
    const health = new Health();
    const url = await serve(health);
    health.died('kafka_unauthorized: the password was refused');
    const live = await fetch(`${url}/livez`);
    expect(live.status).toBe(503);
    expect(await live.text()).toContain('kafka_unauthorized: the password was refused');
  });

  it('hands /metrics to its handler, and has no such path without one', async () => {
    const url = await serve(new Health(), (_request, response) => response.end('up 1\n'));
    expect(await (await fetch(`${url}/metrics`)).text()).toBe('up 1\n');
    expect((await fetch(`${await serve()}/metrics`)).status).toBe(404);
  });

  it('refuses other paths and methods', async () => {
    const url = await serve();
    expect((await fetch(`${url}/`)).status).toBe(404);
    const post = await fetch(`${url}/livez`, { method: 'POST' });
    expect(post.status).toBe(405);
    expect(post.headers.get('allow')).toBe('GET, HEAD');
    expect((await fetch(`${url}/livez`, { method: 'HEAD' })).status).toBe(200);
  });

  it('says which port is taken and what to do', async () => {
    const { port } = new URL(await serve());
    await expect(
      startHttpServer({
        host: '127.0.0.1',
        port: Number(port),
        health: new Health(),
        metrics: null,
      }),
    ).rejects.toMatchObject({
      code: 'port_unavailable',
      message: expect.stringMatching(`127.0.0.1:${port}.*EADDRINUSE.*observability.http`),
    });
  });

  it('closes while a client keeps its connection open, and closes twice', async () => {
    const url = await serve();
    await (await fetch(`${url}/livez`)).text();
    const server = servers[0];
    await server?.close();
    await server?.close();
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });
});
