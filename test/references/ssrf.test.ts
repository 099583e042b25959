/**
 * Server-side request forgery, tried in every way known: https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
 * and the URL confusions of Orange Tsai, "A New Era of SSRF", 2017. A canary on 127.0.0.1 counts who gets through.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RequestListener } from 'node:http';
import type { Resolve } from '../../src/references/guarded-connector.ts';
import { createHttpFetcher, type HttpFetcherOptions } from '../../src/references/http-fetcher.ts';
import type { OpenFetcher } from '../../src/references/image-fetcher.ts';
import { FORBIDDEN_HOSTS } from '../support/forbidden-hosts.ts';
import { HTTP_OPTIONS } from '../support/http-fetcher.ts';
import { startRecordingServer, type RecordingServer } from '../support/recording-server.ts';

/** On 127.0.0.1, which is never allowed here. */
let canary: RecordingServer;
/** On ::1 and the same port: forbidden as well, unless a test allows it. */
let store: RecordingServer;
let respond: RequestListener;
const fetchers: OpenFetcher[] = [];

beforeAll(async () => {
  const answer: RequestListener = (_, response) => response.end('internal');
  canary = await startRecordingServer(answer);
  store = await startRecordingServer((request, response) => respond(request, response), {
    host: '::1',
    port: canary.port,
  });
});
beforeEach(() => {
  respond = (_, response) => response.end('image');
});
afterEach(async () => {
  await Promise.all(fetchers.splice(0).map((fetcher) => fetcher.close()));
});
afterAll(async () => {
  const connections = canary.connections();
  await Promise.all([canary.close(), store.close()]);
  expect(connections).toBe(0);
});

function fetcherOf(options: Partial<HttpFetcherOptions>): OpenFetcher {
  const fetcher = createHttpFetcher({
    ...HTTP_OPTIONS,
    allowHosts: ['img.example'],
    allowPorts: [80, 443, canary.port],
    resolve: () => Promise.reject(new Error('nobody was to ask for a name')),
    ...options,
  });
  fetchers.push(fetcher);
  return fetcher;
}

const always =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve(
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

/** Refused with a message that matches, and nobody was connected to. */
async function expectRefused(fetched: Promise<Buffer>, rule: RegExp): Promise<void> {
  const before = store.connections();
  await expect(fetched).rejects.toMatchObject({
    code: 'image_url_refused',
    disposition: 'not-inspected',
    message: expect.stringMatching(rule),
  });
  expect(store.connections()).toBe(before);
  expect(canary.connections()).toBe(0);
}

/** A header holds no other characters. */
const inHeader = (url: string): string => url.replaceAll(/[^ -~]/gu, encodeURIComponent);
const withPort = (text: string): string => text.replaceAll('PORT', String(canary.port));

describe('a host that is a forbidden address, were it allowed by its name', () => {
  it.each(FORBIDDEN_HOSTS)('%s: %s', async (_, host) => {
    const url = new URL(withPort(`http://${host}/`));
    const fetcher = fetcherOf({ allowHosts: [url.hostname] });
    await expectRefused(
      fetcher.fetch(withPort(`http://${host}/a.jpg`)),
      /must not be connected to/,
    );
  });

  // From ::1 the redirects come.
  const redirects = FORBIDDEN_HOSTS.filter(([name]) => !name.startsWith('IPv6 loopback'));
  it.each(redirects)('redirected to %s: %s', async (_name, host) => {
    respond = (_, response) => {
      response.writeHead(302, { location: inHeader(withPort(`http://${host}/`)) }).end();
    };
    const url = new URL(withPort(`http://${host}/`));
    const fetcher = fetcherOf({
      allowHosts: ['img.example', url.hostname],
      allowAddresses: ['::1/128'],
      resolve: always('::1'),
    });
    const before = store.connections();
    await expect(fetcher.fetch(`http://img.example:${store.port}/a.jpg`)).rejects.toMatchObject({
      code: 'image_url_refused',
      message: expect.stringMatching(/redirected by img\.example:\d+: .*must not be connected to/),
    });
    expect(store.connections()).toBe(before + 1);
  });
});

describe('a name that resolves to', () => {
  it.each([
    ['loopback', ['127.0.0.1']],
    ['IPv6 loopback', ['::1']],
    ['a private address', ['10.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['an IPv4-mapped address', ['::ffff:127.0.0.1']],
    ['a NAT64 address', ['64:ff9b::7f00:1']],
    ['a link-local address with its zone', ['fe80::1%lo']],
    ['a public address and a private one', ['93.184.216.34', '10.0.0.1']],
    ['a private address and a public one', ['10.0.0.1', '93.184.216.34']],
    ['a public address and loopback of the other family', ['93.184.216.34', '::1']],
  ])('%s', async (_, addresses) => {
    const fetcher = fetcherOf({ resolve: always(...addresses) });
    await expectRefused(
      fetcher.fetch(`http://img.example:${canary.port}/a.jpg`),
      /^connecting to img\.example: .*must not be connected to/,
    );
  });

  it('one allowed address and a forbidden one', async () => {
    const resolve = always('::1', '127.0.0.1');
    const fetcher = fetcherOf({ allowAddresses: ['::1/128'], resolve });
    await expectRefused(fetcher.fetch(`http://img.example:${canary.port}/a.jpg`), /loopback/);
  });

  it('something else the next time (DNS rebinding)', async () => {
    const answers = [always('::1'), always('127.0.0.1')];
    let asked = 0;
    const resolve: Resolve = (host) => (answers[asked++] ?? always('127.0.0.1'))(host);
    respond = (_, response) => response.writeHead(200, { connection: 'close' }).end('image');
    const fetcher = fetcherOf({ allowAddresses: ['::1/128'], resolve });
    const uri = `http://img.example:${canary.port}/a.jpg`;
    await expect(fetcher.fetch(uri)).resolves.toEqual(Buffer.from('image'));
    expect(asked).toBe(1); // what was judged is what was connected to
    await expectRefused(fetcher.fetch(uri), /loopback/);
    expect(asked).toBe(2);
  });

  it('something else after a redirect to itself (DNS rebinding)', async () => {
    const answers = [always('::1'), always('127.0.0.1')];
    const resolve: Resolve = (host) => (answers.shift() ?? always('127.0.0.1'))(host);
    respond = (_, response) => {
      response.writeHead(302, { connection: 'close', location: '/b.jpg' }).end();
    };
    const fetcher = fetcherOf({ allowAddresses: ['::1/128'], resolve });
    await expect(fetcher.fetch(`http://img.example:${canary.port}/a.jpg`)).rejects.toMatchObject({
      code: 'image_url_refused',
    });
    expect(canary.connections()).toBe(0);
  });
});

describe('a URL that is refused before any name is asked for', () => {
  it.each([
    ['another host', 'http://other.example/', /allowHosts/],
    ['a host below an exact one', 'http://a.img.example/', /allowHosts/],
    ['a host that ends like an allowed one', 'http://evilimg.example/', /allowHosts/],
    ['a host that begins like an allowed one', 'http://img.example.evil.example/', /allowHosts/],
    ['the parent of a wildcard', 'http://wild.example/', /allowHosts/],
    ['a host that ends like a wildcard', 'http://evilwild.example/', /allowHosts/],
    ['localhost', 'http://localhost:PORT/', /allowHosts/],
    ['localhost with a dot', 'http://localhost.:PORT/', /allowHosts/],
    ['a lookalike in Cyrillic', 'http://img.ехаmple/', /allowHosts/],
    ['a backslash for the host', 'http://other.example\\@img.example/', /allowHosts/],
    ['an allowed host as the user', 'http://img.example@other.example/', /user name/],
    ['an allowed host in the fragment', 'http://other.example#@img.example/', /allowHosts/],
    ['an allowed host in the query', 'http://other.example?@img.example/', /allowHosts/],
    ['one slash', 'http:/other.example/', /allowHosts/],
    ['many slashes', 'http:////other.example/', /allowHosts/],
    ['a tab in the host', 'http://oth\ter.example/', /allowHosts/],
    ['a line break in the host', 'http://oth\r\ner.example/', /allowHosts/],
    ['a user name', 'http://me@img.example/', /user name/],
    ['a password', 'http://me:secret@img.example/', /user name/],
    ['a password alone', 'http://:secret@img.example/', /user name/],
    ['the port of SSH', 'http://img.example:22/', /port 22/],
    ['the port of Redis', 'http://img.example:6379/', /port 6379/],
    ['the port of the kubelet', 'https://img.example:10250/', /port 10250/],
    ['port 0', 'http://img.example:0/', /port 0/],
  ])('%s: %s', async (_, uri, rule) => {
    const fetcher = fetcherOf({ allowHosts: ['img.example', '*.wild.example'] });
    await expectRefused(fetcher.fetch(withPort(uri)), rule);
  });

  it.each([
    ['a zone id', 'http://[fe80::1%25lo]/'],
    ['a port that is none', 'http://img.example:99999/'],
    ['a space in the host', 'http://img.exa mple/'],
    ['five parts', 'http://127.0.0.0.1/'],
    ['a part too large', 'http://127.0.0.256/'],
    ['no host', 'http://'],
  ])('%s is no URL at all: %s', async (_, uri) => {
    await expect(fetcherOf({}).fetch(uri)).rejects.toMatchObject({ code: 'image_uri_invalid' });
  });

  it('says nothing of the password that it refuses', async () => {
    const refused = fetcherOf({}).fetch('http://me:secret@img.example/');
    await expect(refused).rejects.not.toMatchObject({
      message: expect.stringContaining('secret'),
    });
  });
});

describe('a redirect of an allowed host', () => {
  it.each([
    ['to another host', 'http://other.example/', /allowHosts/],
    ['without a scheme, to another host', '//other.example/', /allowHosts/],
    ['to a file', 'file:///etc/passwd', /only http and https/],
    ['to data', 'data:,internal', /only http and https/],
    ['to FTP', 'ftp://img.example/', /only http and https/],
    ['to gopher', 'gopher://img.example/', /only http and https/],
    ['to gopher at an allowed port', 'gopher://img.example:PORT/', /only http and https/],
    ['to another port', 'http://img.example:6379/', /port 6379/],
    ['with a password', 'http://me:secret@img.example:PORT/', /user name/],
    ['in a circle', '/a.jpg', /more than 3 redirects/],
  ])('%s: %s', async (_name, location, rule) => {
    respond = (_, response) => {
      response.writeHead(302, { location: inHeader(withPort(location)) }).end();
    };
    const fetcher = fetcherOf({ allowAddresses: ['::1/128'], resolve: always('::1') });
    await expect(fetcher.fetch(`http://img.example:${store.port}/a.jpg`)).rejects.toMatchObject({
      code: 'image_url_refused',
      message: expect.stringMatching(rule),
    });
    expect(canary.connections()).toBe(0);
  });
});

describe('what is allowed arrives', () => {
  it.each([
    ['a host by its name', 'http://img.example:PORT/a.jpg', ['img.example']],
    ['a name in capitals', 'http://IMG.Example:PORT/a.jpg', ['img.example']],
    ['a name with a dot at its end', 'http://img.example.:PORT/a.jpg', ['img.example']],
    ['a name that the list has with a dot', 'http://img.example:PORT/a.jpg', ['img.example.']],
    ['a name below a wildcard', 'http://a.b.wild.example:PORT/', ['*.wild.example']],
    ['an internationalised name', 'http://bücher.example:PORT/', ['bücher.example']],
    [
      'an internationalised name in ASCII',
      'http://xn--bcher-kva.example:PORT/',
      ['BÜCHER.example'],
    ],
    ['an address', 'http://[::1]:PORT/a.jpg', ['[::1]']],
    ['an address written otherwise', 'http://[0:0::0:1]:PORT/a.jpg', ['[::1]']],
  ])('%s: %s', async (_, uri, allowHosts) => {
    const options = { allowHosts, allowAddresses: ['::1/128'], resolve: always('::1') };
    const before = store.connections();
    const image = await fetcherOf(options).fetch(withPort(uri));
    expect(image).toEqual(Buffer.from('image'));
    expect(store.connections()).toBe(before + 1);
  });

  it('through a redirect from one allowed host to another', async () => {
    respond = ({ headers }, response) => {
      if (headers.host?.startsWith('cdn.example')) response.end('image');
      else {
        const location = `http://cdn.example:${store.port}/b.jpg`;
        response.writeHead(301, { location }).end();
      }
    };
    const fetcher = fetcherOf({
      allowHosts: ['img.example', 'cdn.example'],
      allowAddresses: ['::1/128'],
      resolve: always('::1'),
    });
    const image = await fetcher.fetch(`http://img.example:${store.port}/a.jpg`);
    expect(image).toEqual(Buffer.from('image'));
  });
});
