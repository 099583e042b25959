import { describe, expect, it } from '@jest/globals';
import { Ajv, type AnySchemaObject } from 'ajv';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config.ts';
import { loadBundle } from '../../src/policies/load-bundle.ts';

interface Service {
  image: string;
  build?: { context: string; dockerfile: string };
  command?: string[];
  volumes?: string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string | number>;
  ports?: string[];
  stop_grace_period?: string;
  read_only?: boolean;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(`${root}compose.yaml`, 'utf8');
const compose = parse(text) as { services: Record<string, Service> };
const { services } = compose;

// The Compose Specification's own schema, from compose-go v2.9.1 (Apache-2.0).
const schema = JSON.parse(
  readFileSync(`${root}test/fixtures/compose-spec.schema.json`, 'utf8'),
) as AnySchemaObject;
delete schema['$schema'];
const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(
  schema,
);

function service(name: string): Service {
  const found = services[name];
  if (!found) throw new Error(`compose.yaml has no service ${name}`);
  return found;
}

/** The file of the repository that is mounted at `path`. */
function mountedAt(path: string): string {
  const mount = service('moderato').volumes?.find((volume) => volume.split(':')[1] === path);
  return `${root}${mount?.split(':')[0] ?? 'nothing'}`;
}

describe('compose.yaml', () => {
  it('is valid under the Compose Specification', () => {
    expect([validate(compose), validate.errors]).toEqual([true, null]);
  });

  it('would be refused with a misspelt key or a wrong type', () => {
    const { moderato } = services;
    expect(validate({ services: { moderato: { ...moderato, depend_on: {} } } })).toBe(false);
    expect(validate({ services: { moderato: { ...moderato, ports: 9464 } } })).toBe(false);
  });

  it('pins every image to a version', () => {
    for (const { image } of Object.values(services)) {
      expect(image).toMatch(/^[a-z/-]+:\d+\.\d+\.\d+(\.Final)?$/);
    }
  });

  it('mounts files that exist', () => {
    const volumes = Object.values(services).flatMap(({ volumes = [] }) => volumes);
    expect(volumes.length).toBeGreaterThan(0);
    for (const volume of volumes) {
      const [host = '', , mode] = volume.split(':');
      expect([host, existsSync(root + host)]).toEqual([host, true]);
      expect(mode).toBe('ro');
    }
  });

  it('mounts a configuration and a policy bundle that Moderato accepts', async () => {
    const { config } = await loadConfig(mountedAt('/etc/moderato/moderato.yaml'), {});
    expect(config.kafka.brokers).toEqual(['kafka:9092']);
    expect(config.policies).toMatch(/\/policies\.yaml$/);
    const bundle = await loadBundle(mountedAt('/etc/moderato/policies.yaml'));
    expect(bundle.policies.length).toBeGreaterThan(0);
  });

  it('serves references from the folder that it mounts', async () => {
    const { config } = await loadConfig(mountedAt('/etc/moderato/moderato.yaml'), {});
    expect(existsSync(`${mountedAt(config.images.root ?? '')}/bear.jpg`)).toBe(true);
  });

  it('starts Moderato after its topics were created and the registry is up', () => {
    expect(service('moderato').depends_on).toEqual({
      topics: { condition: 'service_completed_successfully' },
      registry: { condition: 'service_healthy' },
    });
    expect(service('topics').depends_on).toEqual({ kafka: { condition: 'service_healthy' } });
    expect(service('topics').command?.slice(0, 2)).toEqual(['topics', 'create']);
    for (const name of ['kafka', 'registry']) {
      expect(service(name).healthcheck?.test?.length).toBeGreaterThan(1);
    }
  });

  it('advertises the brokers under the names that clients inside and outside use', async () => {
    const { config } = await loadConfig(mountedAt('/etc/moderato/moderato.yaml'), {});
    const { environment, ports } = service('kafka');
    const advertised = String(environment?.['KAFKA_ADVERTISED_LISTENERS']).split(',');
    expect(advertised).toContain(`INTERNAL://${String(config.kafka.brokers[0])}`);
    expect(advertised).toContain('HOST://localhost:9094');
    expect(ports).toEqual(['127.0.0.1:9094:9094']);
  });

  it('takes images inside events up to the size that Moderato fetches at once', async () => {
    const { config } = await loadConfig(mountedAt('/etc/moderato/moderato.yaml'), {});
    const largest = Number(service('kafka').environment?.['KAFKA_MESSAGE_MAX_BYTES']);
    expect(largest).toBeGreaterThanOrEqual(config.kafka.maxFetchBytes);
  });

  it('lets the drain end before the container is killed', async () => {
    const { config } = await loadConfig(mountedAt('/etc/moderato/moderato.yaml'), {});
    const grace = Number.parseInt(service('moderato').stop_grace_period ?? '10', 10) * 1000;
    expect(grace).toBeGreaterThanOrEqual(config.pipeline.drainTimeoutMs + 10_000);
  });
});
