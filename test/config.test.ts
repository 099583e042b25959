import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig, readConfig } from '../src/config.ts';

const SOUND = `
kafka:
  brokers: [localhost:9092]
topics:
  input: images
  verdicts: verdicts
  deadLetters: dead-letters
policies: policies.yaml
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moderato-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function fileOf(text: string): Promise<string> {
  const file = join(folder, 'moderato.yaml');
  await writeFile(file, text);
  return file;
}

describe('loadConfig', () => {
  it('fills in every default and makes paths absolute from the file', async () => {
    const { config } = await loadConfig(await fileOf(SOUND), {});
    expect(config.policies).toBe(join(folder, 'policies.yaml'));
    expect(config.model).toMatchObject({ path: 'starter', executionProvider: 'cpu' });
    expect(config.pipeline.drainTimeoutMs).toBe(25_000);
    expect(config.observability.http).toEqual({ host: '0.0.0.0', port: 9464 });
  });

  it('names every fault at once, each with its line', async () => {
    const file = await fileOf(`
kafka:
  brokers: [localhost]
  groupID: x
topics:
  input: "no spaces"
  verdicts: verdicts
  deadLetters: dead-letters
policies: policies.yaml
model: { executionProvider: tpu }
batching: { maxBatchSize: 0 }
`);
    const { faults } = await readConfig(file, {});
    expect(faults).toHaveLength(5);
    expect(faults.join('\n')).toMatch(/:3:\d+: kafka\.brokers\[0\]: expected host:port/);
    expect(faults.join('\n')).toMatch(/:4:\d+: kafka\.groupID: .*groupId/);
    expect(faults.join('\n')).toMatch(/:6:\d+: topics\.input/);
    await expect(loadConfig(file, {})).rejects.toThrow('the configuration has 5 faults');
  });

  it('reads lists of known images', async () => {
    const { config } = await loadConfig(
      await fileOf(
        `${SOUND}lists:\n  - { id: a, kind: block, file: lists/a.csv }\n  - { id: b, kind: negative, topic: b, policies: [p], distance: 9 }\n`,
      ),
      {},
    );
    const preset = { mode: 'enforce', hashType: 'auto', distance: 31 };
    expect(config.lists).toEqual([
      { ...preset, id: 'a', kind: 'block', file: join(folder, 'lists/a.csv') },
      { ...preset, id: 'b', kind: 'negative', topic: 'b', policies: ['p'], distance: 9 },
    ]);
  });

  it.each([
    ['{ id: a, kind: block }', /lists\[0\]: expected either file or topic/],
    ['{ id: a, kind: block, file: f, topic: t }', /lists\[0\]: expected either file or topic/],
    ['{ id: a, kind: block, file: f, policies: [p] }', /policies: only for a negative list/],
    ['{ id: a, kind: block, file: f, distance: 64 }', /lists\[0\]\.distance/],
    ['{ id: A B, kind: block, file: f }', /lists\[0\]\.id: expected up to 64/],
  ])('refuses the list %s', async (list, message) => {
    const { faults } = await readConfig(await fileOf(`${SOUND}lists: [${list}]`), {});
    expect(faults.join()).toMatch(message);
  });

  it('refuses two lists of one id, and lists in a variable', async () => {
    const twice = '{ id: a, kind: block, file: f }, { id: a, kind: allow, file: g }';
    const file = await fileOf(`${SOUND}lists: [${twice}]`);
    expect((await readConfig(file, {})).faults.join()).toContain('two lists have the same id');
    const { faults } = await readConfig(await fileOf(SOUND), { MODERATO_LISTS: 'a' });
    expect(faults.join()).toContain('MODERATO_LISTS: no such configuration key');
  });

  it('keeps the sections that are sound, so that they can be looked at too', async () => {
    const { sections } = await readConfig(
      await fileOf(`${SOUND}\nbatching: { maxBatchSize: 0 }`),
      {},
    );
    expect(sections.kafka?.brokers).toEqual(['localhost:9092']);
    expect(sections.batching).toBeUndefined();
  });

  it('lets every leaf be set by a variable of its name', async () => {
    const { config } = await loadConfig(await fileOf(SOUND), {
      MODERATO_KAFKA_BROKERS: 'a:1, b:2',
      MODERATO_KAFKA_GROUP_ID: 'other',
      MODERATO_BATCHING_MAX_BATCH_SIZE: '32',
      MODERATO_MODEL_EXECUTION_PROVIDER: 'cuda',
      MODERATO_KAFKA_TLS: 'true',
      MODERATO_OBSERVABILITY_HTTP_PORT: '0',
      PATH: '/usr/bin',
    });
    expect(config.kafka).toMatchObject({ brokers: ['a:1', 'b:2'], groupId: 'other', tls: true });
    expect(config.batching.maxBatchSize).toBe(32);
    expect(config.model.executionProvider).toBe('cuda');
    expect(config.observability.http).toEqual({ host: '0.0.0.0', port: 0 });
  });

  it('refuses a variable that names nothing', async () => {
    const { faults } = await readConfig(await fileOf(SOUND), { MODERATO_KAFKA_BROKER: 'a:1' });
    expect(faults).toEqual([
      'MODERATO_KAFKA_BROKER: no such configuration key; did you mean MODERATO_KAFKA_BROKERS?',
    ]);
  });

  it('takes the SASL password from the environment or a file, and misses it when it is not there', async () => {
    const file = await fileOf(
      SOUND.replace('kafka:', 'kafka:\n  sasl: { mechanism: plain, username: me }'),
    );
    expect((await readConfig(file, {})).faults.join()).toContain('MODERATO_KAFKA_SASL_PASSWORD');

    const secret = join(folder, 'password');
    await writeFile(secret, 'hunter2\n');
    const fromFile = await loadConfig(file, { MODERATO_KAFKA_SASL_PASSWORD_FILE: secret });
    expect(fromFile.secrets.kafkaSaslPassword).toBe('hunter2');
    const fromEnv = await loadConfig(file, { MODERATO_KAFKA_SASL_PASSWORD: 'other' });
    expect(fromEnv.secrets.kafkaSaslPassword).toBe('other');
    expect(JSON.stringify(fromEnv.config)).not.toContain('other');
  });

  it('refuses a redrive key that could be guessed', async () => {
    const file = await fileOf(SOUND);
    const key = 'k'.repeat(44);
    expect((await readConfig(file, { MODERATO_REDRIVE_KEY: key })).secrets.redriveKey).toBe(key);
    const { faults } = await readConfig(file, { MODERATO_REDRIVE_KEY: 'secret' });
    expect(faults.join()).toMatch(/MODERATO_REDRIVE_KEY: shorter than 22 characters/);
    expect(faults.join()).not.toContain('secret');
  });

  it('refuses a record larger than the batch that holds it', async () => {
    const limits = (batch: number, record: number): NodeJS.ProcessEnv => ({
      MODERATO_KAFKA_MAX_BATCH_BYTES: String(batch),
      MODERATO_KAFKA_MAX_RECORD_BYTES: String(record),
    });
    const file = await fileOf(SOUND);
    expect((await readConfig(file, limits(1_000, 1_000))).faults).toEqual([]);
    expect((await readConfig(file, limits(1_000, 1_001))).faults).toEqual([
      expect.stringMatching(/kafka\.maxRecordBytes: must be at most maxBatchBytes/),
    ]);
  });

  describe('images.http.allowHosts', () => {
    const faultsOf = async (hosts: string): Promise<string[]> => {
      const text = `${SOUND}images: { http: { allowHosts: [${hosts}] } }`;
      return (await readConfig(await fileOf(text), {})).faults;
    };

    it.each(['img.example', '"*.img.example"', '10.0.0.1', '"[::1]"', 'bücher.example'])(
      'takes %s',
      async (host) => {
        expect(await faultsOf(host)).toEqual([]);
      },
    );

    it.each([
      ['a wildcard alone', '"*"'],
      ['a second wildcard', '"*.*.example"'],
      ['a wildcard elsewhere', 'a.*.example'],
      ['a URL', '"http://a.example"'],
      ['a path', 'a.example/b'],
      ['a port', '"a.example:80"'],
      ['a user', '"a@b.example"'],
      ['a space', '"a b"'],
      ['nothing', '""'],
      ['an IPv4 address that is none', '1.2.3.400'],
      ['an IPv6 address without brackets', '"::1"'],
      ['an empty list', ''],
    ])('refuses %s: %s', async (_, host) => {
      expect(await faultsOf(host)).toHaveLength(1);
    });
  });

  it.each([
    ['allowHosts: [img.example]', 'hold'],
    ['allowHosts: [img.example, "*.example"]', 'give-up'],
    ['allowHosts: ["*.example"], onOutage: hold', 'hold'],
    ['allowHosts: [img.example], onOutage: give-up', 'give-up'],
  ])('images.http { %s }: onOutage is %s', async (http, onOutage) => {
    const { config } = await loadConfig(await fileOf(`${SOUND}images: { http: { ${http} } }`), {});
    expect(config.images.http?.onOutage).toBe(onOutage);
  });

  it('takes hosts, ports and ranges from variables', async () => {
    const { config } = await loadConfig(await fileOf(SOUND), {
      MODERATO_IMAGES_HTTP_ALLOW_HOSTS: 'a.example,*.b.example',
      MODERATO_IMAGES_HTTP_ALLOW_PORTS: '443,8443',
      MODERATO_IMAGES_HTTP_ALLOW_ADDRESSES: '10.0.0.0/8,fd00::/8',
      MODERATO_IMAGES_S3_REGION: 'eu-central-1',
    });
    expect(config.images.http).toMatchObject({
      allowHosts: ['a.example', '*.b.example'],
      allowPorts: [443, 8_443],
      allowAddresses: ['10.0.0.0/8', 'fd00::/8'],
    });
    expect(config.images.s3).toMatchObject({ region: 'eu-central-1', attempts: 3 });
  });

  it('says what is wrong when there is no such file', async () => {
    await expect(loadConfig(join(folder, 'absent.yaml'), {})).rejects.toThrow('absent.yaml');
  });
});
