import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { freePorts } from '../src/demo/kafka/wire.ts';
import { hostileAnswers, type Answer } from './hostile-answers.ts';
import { registryAnswer } from './registry.ts';
import type { Ports } from './servers.ts';

const { socketPath, picture } = workerData as { socketPath: string; picture: Uint8Array };
const answers = hostileAnswers(Buffer.from(picture));
const TRICKLE_MS = 100;

function answerWith(answerTo: (target: string) => Answer): Server {
  return createServer((socket) => {
    let head = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      const target = head.split(' ')[1] ?? '/';
      head = '';
      send(socket, answerTo(target));
    });
  });
}

function send(socket: Socket, answer: Answer): void {
  if (answer === 'never') return;
  if (answer === 'close') socket.destroy();
  else if ('trickle' in answer) trickle(socket, answer.trickle);
  else if ('begun' in answer) socket.write(answer.begun);
  else socket.end(answer.whole);
}

function trickle(socket: Socket, bytes: Buffer): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(bytes.subarray(at, at + 1));
    at += 1;
    if (at === bytes.length) socket.end();
  }, TRICKLE_MS);
  socket.on('close', () => clearInterval(timer));
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const named = new Map(Object.entries(answers));
const steady = named.get('whole') ?? 'never';
const away = named.get('503') ?? 'never';
const [closed = 0] = await freePorts(1);
const ports: Ports = {
  steady: await listen(answerWith(() => steady)),
  odd: await listen(answerWith((target) => named.get(target.split('/')[1] ?? '') ?? away)),
  silent: await listen(answerWith(() => 'never')),
  away: await listen(answerWith(() => away)),
  closed,
  registry: await listen(answerWith(registryAnswer)),
};
createServer().listen(socketPath);
parentPort?.postMessage(ports);
