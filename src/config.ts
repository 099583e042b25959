import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { overlayEnv, type Environment } from './config-env.ts';
import { configSchema, type Config, type Secrets } from './config-schema.ts';
import { AppError, messageOf } from './errors.ts';
import { formatFaults, readYaml } from './yaml-document.ts';

export interface LoadedConfig {
  config: Config;
  secrets: Secrets;
}

/** A configuration as far as it can be read. */
export interface ReadConfig {
  /** One line each, with the place in the file or the variable. */
  faults: string[];
  /** The sections without a fault of their own, with absolute paths; all of them where there are no faults. */
  sections: Partial<Config>;
  secrets: Secrets;
}

const SECRETS: Record<keyof Secrets, string> = {
  kafkaSaslPassword: 'MODERATO_KAFKA_SASL_PASSWORD',
  registryPassword: 'MODERATO_REGISTRY_PASSWORD',
  cachePassword: 'MODERATO_CACHE_PASSWORD',
  redriveKey: 'MODERATO_REDRIVE_KEY',
  frameKey: 'MODERATO_FRAME_KEY',
};

/**
 * A configuration file with `MODERATO_*` variables laid over it and paths made absolute from the file's folder.
 * Throws AppError `config_invalid` that names every fault at once.
 */
export async function loadConfig(
  file: string,
  env: Environment = process.env,
): Promise<LoadedConfig> {
  const { faults, sections, secrets } = await readConfig(file, env);
  if (faults.length > 0) {
    const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    throw new AppError('config_invalid', `the configuration has ${count}:\n${faults.join('\n')}`);
  }
  return { config: sections as Config, secrets };
}

/** The same without throwing, for whoever wants to look at all there is. */
export async function readConfig(
  file: string,
  env: Environment = process.env,
): Promise<ReadConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const fault = `reading the configuration ${file}: ${messageOf(error)}; name the file with -c`;
    return { faults: [fault], sections: {}, secrets: {} };
  }
  const secretNames = Object.values(SECRETS).flatMap((name) => [name, `${name}_FILE`]);
  const overlay = overlayEnv(configSchema, env, secretNames);
  let raw: unknown;
  const schema = z.preprocess((value) => (raw = overlay.apply(value)), configSchema);
  const read = readYaml(schema, text, file);
  const faults = [...overlay.faults, ...(read.ok ? [] : formatFaults(read.faults, file))];
  const secrets = await readSecrets(env, faults);
  const sections = absolutePaths(read.ok ? read.value : soundSections(raw), dirname(resolve(file)));
  if (sections.kafka?.sasl && secrets.kafkaSaslPassword === undefined) {
    const name = SECRETS.kafkaSaslPassword;
    faults.push(`${file}: kafka.sasl: no password: set ${name} or ${name}_FILE`);
  }
  return { faults, sections, secrets };
}

function soundSections(raw: unknown): Partial<Config> {
  if (typeof raw !== 'object' || raw === null) return {};
  const sections = Object.entries(configSchema.shape).flatMap(([key, schema]) => {
    const result = schema.safeParse((raw as Record<string, unknown>)[key]);
    return result.success ? [[key, result.data]] : [];
  });
  return Object.fromEntries(sections) as Partial<Config>;
}

/** Of the redrive key: guessing it must be harder than 16 random bytes in base64. */
const MIN_KEY_LENGTH = 22;

async function readSecrets(env: Environment, faults: string[]): Promise<Secrets> {
  const secrets: Secrets = {};
  for (const [key, name] of Object.entries(SECRETS) as Array<[keyof Secrets, string]>) {
    const file = env[`${name}_FILE`];
    if (env[name] !== undefined) secrets[key] = env[name];
    else if (file !== undefined) {
      try {
        secrets[key] = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
      } catch (error) {
        faults.push(`${name}_FILE: ${messageOf(error)}`);
      }
    }
  }
  for (const name of ['redriveKey', 'frameKey'] as const) {
    if ((secrets[name]?.length ?? MIN_KEY_LENGTH) >= MIN_KEY_LENGTH) continue;
    faults.push(
      `${SECRETS[name]}: shorter than ${MIN_KEY_LENGTH} characters; make one with: openssl rand -base64 32`,
    );
  }
  return secrets;
}

function absolutePaths(sections: Partial<Config>, folder: string): Partial<Config> {
  const from = (path: string): string => resolve(folder, path);
  const { dedupe, images, kafka, lists = [], model, policies } = sections;
  if (dedupe?.shared?.ca !== undefined) dedupe.shared.ca = from(dedupe.shared.ca);
  for (const list of lists) if (list.file !== undefined) list.file = from(list.file);
  if (images?.root !== undefined) images.root = from(images.root);
  // Without a slash it is the name of a model.
  if (model && /[/\\]/.test(model.path)) model.path = from(model.path);
  if (typeof kafka?.tls === 'object') {
    for (const key of ['ca', 'cert', 'key'] as const) {
      const path = kafka.tls[key];
      if (path !== undefined) kafka.tls[key] = from(path);
    }
  }
  return policies === undefined ? sections : { ...sections, policies: from(policies) };
}
