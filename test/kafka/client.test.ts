import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { configSchema } from '../../src/config-schema.ts';
import { createKafka } from '../../src/kafka/client.ts';
import { noLogger } from '../../src/logger.ts';

const config = (kafka: object) =>
  configSchema.shape.kafka.parse({ brokers: ['127.0.0.1:1'], ...kafka });

describe('createKafka', () => {
  it('wants a password for the user it is given, and says where to put it', () => {
    const sasl = { mechanism: 'plain', username: 'moderato' };
    expect(() => createKafka(config({ sasl }), {}, noLogger)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringContaining('MODERATO_KAFKA_SASL_PASSWORD'),
      }),
    );
  });

  it('names the key of a certificate file that cannot be read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'moderato-client-'));
    const tls = { ca: join(folder, 'absent.pem') };
    expect(() => createKafka(config({ tls }), {}, noLogger)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringMatching(/kafka\.tls\.ca.*absent\.pem/),
      }),
    );
    await rm(folder, { recursive: true });
  });

  it('connects to nothing by itself, and gives up on an absent broker with a clear error', async () => {
    const kafka = createKafka(config({}), {}, noLogger, { retries: 1 });
    await expect(kafka.admin().connect()).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('the rooms that use kafkajs', () => {
  // Node finds fewer of its exports by name than the test runner does.
  it.each(['kafka/client.ts', 'kafka/topics.ts', 'producers/kafka-verdict-sink.ts'])(
    'are loaded by Node itself: %s',
    async (file) => {
      const { href } = new URL(`../../src/${file}`, import.meta.url);
      const load = `await import(${JSON.stringify(href)}); console.log('loaded')`;
      const run = promisify(execFile);
      const args = ['--input-type=module', '-e', load];
      expect((await run(process.execPath, args)).stdout).toBe('loaded\n');
    },
  );
});
