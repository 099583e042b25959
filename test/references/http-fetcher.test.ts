import type { RequestListener, ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError, dispositionOf } from '../../src/errors.ts';
import { settle } from '../support/fake-clock.ts';
import { HTTP_OPTIONS, setUpHttp } from '../support/http-fetcher.ts';
import { imageFetcherConformance } from '../support/image-fetcher-conformance.ts';

const http = setUpHttp();
const { fetcherOf, fetchOf } = http;

describe('over a real server', () => {
  const images = new Map<string, Buffer>();
  imageFetcherConformance('the http fetcher', () => {
    http.respond = (request, response) => {
      const image = images.get(request.url ?? '');
      response.writeHead(image ? 200 : 404).end(image);
    };
    return Promise.resolve({
      fetcher: fetcherOf(),
      maxBytes: HTTP_OPTIONS.maxBytes,
      put: (name, bytes) => {
        images.set(`/${name}`, bytes);
        return Promise.resolve(`${http.server.origin}/${name}`);
      },
      missing: `${http.server.origin}/nowhere.jpg`,
      answering: http.server.origin,
      away: 'http://127.0.0.1:1', // not among the allowed ports, so it is never connected to
    });
  });
});

it('says who asks, and nothing else', async () => {
  http.respond = (request, response) => {
    const there = request.url === '/b.jpg';
    response.writeHead(there ? 200 : 302, { location: '/b.jpg', 'set-cookie': 'a=b' }).end('x');
  };
  await fetchOf('/a.jpg?size=1#fragment');
  expect(http.server.requests.map(({ url }) => url)).toEqual(['/a.jpg?size=1', '/b.jpg']);
  for (const { method, headers } of http.server.requests) {
    expect(method).toBe('GET');
    expect(headers).toEqual({
      host: `127.0.0.1:${http.server.port}`,
      connection: 'keep-alive',
      'user-agent': 'moderato/1.2.3',
      'accept-encoding': 'identity',
    });
  }
});

it('uses a connection again', async () => {
  http.respond = (_, response) => response.end('x');
  const before = http.server.connections();
  const fetcher = fetcherOf();
  for (const name of ['a', 'b', 'c']) {
    await fetcher.fetch(`${http.server.origin}/${name}`);
    await settle(); // undici lets a connection rest for a turn of the event loop
  }
  expect(http.server.connections() - before).toBe(1);
});

describe('a status other than 200', () => {
  it.each([
    [204, 'image_unfetchable'],
    [206, 'image_unfetchable'],
    [300, 'image_unfetchable'],
    [302, 'image_unfetchable'],
    [304, 'image_unfetchable'],
    [400, 'image_unfetchable'],
    [401, 'image_forbidden'],
    [403, 'image_forbidden'],
    [404, 'image_not_found'],
    [408, 'image_store_unavailable'],
    [410, 'image_not_found'],
    [418, 'image_unfetchable'],
    [425, 'image_store_unavailable'],
    [429, 'image_store_unavailable'],
    [451, 'image_forbidden'],
    [500, 'image_store_unavailable'],
    [503, 'image_store_unavailable'],
    [599, 'image_store_unavailable'],
  ])('%i: %s', async (status, code) => {
    http.respond = (_, response) => response.writeHead(status).end();
    await expect(fetchOf('/a.jpg')).rejects.toMatchObject({
      code,
      message: `fetching image ${http.server.origin}/a.jpg: the host answered ${status}`,
    });
    expect(http.server.requests).toHaveLength(1);
  });
});

describe('a redirect', () => {
  const redirecting = (status: number): RequestListener => {
    return ({ url }, response) => {
      const left = Number(url?.slice(1));
      if (left === 0) response.end('arrived');
      else response.writeHead(status, { location: `./${left - 1}` }).end('moved');
    };
  };

  it.each([301, 302, 303, 307, 308])('%i is followed', async (status) => {
    http.respond = redirecting(status);
    await expect(fetchOf('/3')).resolves.toEqual(Buffer.from('arrived'));
    expect(http.server.requests.map(({ url }) => url)).toEqual(['/3', '/2', '/1', '/0']);
  });

  it('is followed no oftener than allowed', async () => {
    http.respond = redirecting(302);
    await expect(fetchOf('/4')).rejects.toMatchObject({
      code: 'image_url_refused',
      message: `fetching image ${http.server.origin}/4: more than 3 redirects`,
    });
    await expect(fetchOf('/1', { maxRedirects: 0 })).rejects.toMatchObject({
      code: 'image_url_refused',
    });
  });
});

describe('an image over the limit', () => {
  it('is refused by its announced length, before it comes', async () => {
    http.respond = (_, response) => {
      response.writeHead(200, { 'content-length': HTTP_OPTIONS.maxBytes + 1 }).flushHeaders();
    };
    await expect(fetchOf('/a.jpg')).rejects.toMatchObject({ code: 'image_too_large' });
  });

  it('is read no further when nothing was announced', async () => {
    const left = Promise.withResolvers<undefined>();
    http.respond = (_, response) => {
      response.on('close', () => left.resolve(undefined));
      pour(response);
    };
    await expect(fetchOf('/a.jpg')).rejects.toMatchObject({ code: 'image_too_large' });
    await left.promise;
  });
});

/** Writes for as long as somebody reads. */
function pour(response: ServerResponse): void {
  if (response.destroyed) return;
  response.write(Buffer.alloc(10_000), () => pour(response));
}

it('lets go at once when it is aborted', async () => {
  const abort = new AbortController();
  const reason = new Error('shutting down');
  const gone = Promise.withResolvers<undefined>();
  http.respond = (_, response) => {
    response.on('close', () => gone.resolve(undefined));
    abort.abort(reason);
  };
  const fetched = fetcherOf().fetch(`${http.server.origin}/a.jpg`, abort.signal);
  await expect(fetched).rejects.toBe(reason);
  await gone.promise;
});

it('keeps to its number of connections', async () => {
  const waiting: ServerResponse[] = [];
  http.respond = (_, response) => void waiting.push(response);
  const fetcher = fetcherOf({ connectionsPerHost: 2 });
  const before = http.server.connections();
  const fetches = ['a', 'b', 'c', 'd'].map((name) =>
    fetcher.fetch(`${http.server.origin}/${name}`),
  );
  for (let answered = 0; answered < 4;) {
    const response = waiting.shift();
    if (response) {
      response.end('x');
      answered += 1;
    } else await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(fetches);
  expect(http.server.connections() - before).toBe(2);
});

it('keeps the secrets of a URL out of its messages', async () => {
  http.respond = (_, response) => response.writeHead(404).end();
  await expect(fetchOf('/a.jpg?X-Amz-Signature=secret')).rejects.toMatchObject({
    message: `fetching image ${http.server.origin}/a.jpg?…: the host answered 404`,
  });
});

it('whatever a stranger writes, the answer is a code and never the end of the process', async () => {
  let location = '';
  http.respond = (_, response) => response.writeHead(302, { location }).end();
  const fetcher = fetcherOf();
  const tail = fc.string({ unit: 'binary', maxLength: 30 });
  const reference = fc.oneof(
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    tail,
    tail.map((text) => `${http.server.origin}/${text}`),
    fc.tuple(fc.constantFrom('http:', 'https:', 'ftp:', 'ws:'), tail).map((it) => it.join('')),
  );
  await fc.assert(
    fc.asyncProperty(reference, async (text) => {
      location = text.replaceAll(/[^ -~]/gu, encodeURIComponent); // a header holds nothing else
      for (const uri of [text, http.server.origin]) {
        const answer = await fetcher.fetch(uri).catch((error: unknown) => error);
        expect(answer).toBeInstanceOf(AppError);
        expect(dispositionOf(answer)).toBe('not-inspected');
      }
    }),
  );
}, 30_000);
