import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { aliveBrokers } from '../../src/demo/kafka/wire.ts';
import { startLocalKafka } from '../../src/demo/local-kafka.ts';

describe('a local Kafka', () => {
  it('of three brokers survives the loss of one, which can come back', async () => {
    const kafka = await startLocalKafka({ nodes: 3 });
    try {
      const port = Number(kafka.bootstrap[0]?.split(':')[1]);
      expect((await aliveBrokers(port)).sort()).toEqual([1, 2, 3]);
      await kafka.killNode(3);
      expect(kafka.pids()).toHaveLength(2);
      await kafka.startNode(3);
      expect(kafka.pids()).toHaveLength(3);
    } finally {
      await kafka.stop();
    }
    expect(kafka.pids()).toEqual([]);
    await kafka.stop();
  }, 60_000);

  it('ends, and its data with it, when the process that started it is killed', async () => {
    const module = new URL('../../src/demo/local-kafka.ts', import.meta.url).href;
    const owner = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { startLocalKafka } = await import(${JSON.stringify(module)});
         const kafka = await startLocalKafka();
         console.log(kafka.pids()[0], kafka.bootstrap[0].split(':')[1]);
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const [pid, port] = String(line).trim().split(' ').map(Number);
    expect(await aliveBrokers(port ?? 0)).toEqual([1]);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    for (let tries = 0; tries < 100 && existsSync(`/proc/${pid}/exe`); tries++) await sleep(50);
    await expect(aliveBrokers(port ?? 0)).rejects.toThrow();
  }, 60_000);
});
