import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { findBroker, kafkaRequirements } from '../../src/demo/find-broker.ts';
import { aliveBrokers } from '../../src/demo/kafka/wire.ts';
import { fakeDocker, type FakeDocker } from '../support/fake-docker.ts';

describe('finding a broker', () => {
  let docker: FakeDocker | undefined;
  afterEach(async () => {
    await docker?.remove();
    docker = undefined;
  });

  it('takes the brokers it is given, and asks nobody else', async () => {
    const env = { PATH: '', KAFKA_BROKERS: 'one:9092, two:9092' };
    const broker = await findBroker({ env });
    expect(broker).toMatchObject({ kind: 'given', bootstrap: ['one:9092', 'two:9092'] });
    await broker.stop();
  });

  it('starts a container where there is Docker and no Java, and removes it', async () => {
    docker = await fakeDocker();
    const lines: string[] = [];
    const broker = await findBroker({ env: docker.env, onProgress: (line) => lines.push(line) });
    expect(broker.kind).toBe('docker');
    expect(lines.join()).toMatch(/Docker/);
    const port = Number(broker.bootstrap[0]?.split(':')[1]);
    expect(await aliveBrokers(port)).toEqual([1]);

    await broker.stop();
    await expect(aliveBrokers(port)).rejects.toThrow();
    const calls = await docker.calls();
    const run = calls.find(([command]) => command === 'run') ?? [];
    expect(run.at(-1)).toMatch(/^apache\/kafka:\d+\.\d+\.\d+$/);
    expect(run).toContain(`KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:${port}`);
    expect(run).toContain('KAFKA_AUTO_CREATE_TOPICS_ENABLE=false');
    expect(calls.at(-1)).toEqual(['rm', '-f', run[run.indexOf('--name') + 1]]);
  });

  it('tells what it tried and what would help when there is nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'moderato-nothing-'));
    await expect(
      findBroker({ env: { PATH: folder, XDG_CACHE_HOME: folder } }),
    ).rejects.toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringMatching(
        /KAFKA_BROKERS: not set[^]*Java: not installed[^]*Docker: not installed[^]*set KAFKA_BROKERS/,
      ),
    });
    await rm(folder, { recursive: true });
  });

  it('tells why a container did not start, and leaves none behind', async () => {
    docker = await fakeDocker({ broken: true });
    await expect(findBroker({ env: docker.env })).rejects.toMatchObject({
      code: 'kafka_unavailable',
      message: expect.stringContaining('no space left on device'),
    });
    expect((await docker.calls()).at(-1)?.slice(0, 2)).toEqual(['rm', '-f']);
  });

  it('says what there is without starting anything', async () => {
    docker = await fakeDocker();
    expect(await kafkaRequirements(docker.env)).toEqual({
      given: [],
      local: { available: false, detail: 'Java: not installed' },
      docker: { available: true, detail: expect.stringContaining('apache/kafka') },
    });
    expect(await docker.calls()).toEqual([['info']]);
  });
});
