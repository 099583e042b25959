import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHosts, type Hosts } from '../../isolation/hosts.ts';

const PICTURE = Buffer.alloc(1_000, 7);
let hosts: Hosts;

beforeEach(async () => {
  hosts = await startHosts(PICTURE);
});
afterEach(() => hosts.close());

const urlOf = (port: number): string => `http://127.0.0.1:${port}/1.jpg`;

/** What has come on a connection after `ms`. */
async function receivedAfter(port: number, ms: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.write('GET /1.jpg HTTP/1.1\r\nhost: a\r\n\r\n');
  await sleep(ms);
  socket.destroy();
  return text;
}

describe('an image host of the isolation suite', () => {
  it('answers 503 until it recovers, then with the picture', async () => {
    expect((await fetch(urlOf(hosts.away))).status).toBe(503);
    hosts.recover();
    const answer = await fetch(urlOf(hosts.away));
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(PICTURE);
  });

  it('accepts connections and never answers', async () => {
    expect(await receivedAfter(hosts.silent, 300)).toBe('');
  });

  it('sends a whole header and then a byte every tenth of a second', async () => {
    const [head, body] = (await receivedAfter(hosts.trickle, 450)).split('\r\n\r\n');
    expect(head).toContain('200 OK');
    expect(body).toMatch(/\x07/);
    expect(body?.length).toBeLessThan(60); // chunk sizes included, where there are any
  });
});
