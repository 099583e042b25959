import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { configSchema, type Config, type Secrets } from './config-schema.ts';
import { overlayEnv, type Environment } from './config-env.ts';
import { AppError, messageOf } from './errors.ts';
import { formatFaults, readYaml } from './yaml-document.ts';

export interface LoadedConfig {
  config: Config;
  secrets: Secrets;
}

const SECRETS: Record<keyof Secrets, string> = {
  kafkaSaslPassword: 'MODERATO_KAFKA_SASL_PASSWORD',
  registryPassword: 'MODERATO_REGISTRY_PASSWORD',
};

/**
 * Reads a configuration file, with `MODERATO_*` variables laid over it and paths made absolute from the file's
 * folder. Throws AppError `config_invalid` that names every fault at once, each with its line or variable.
 */
export async function loadConfig(
  file: string,
  env: Environment = process.env,
): Promise<LoadedConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new AppError('config_invalid', `reading the configuration ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return parseConfig(text, file, env);
}

export async function parseConfig(
  text: string,
  file: string,
  env: Environment,
): Promise<LoadedConfig> {
  const secretNames = Object.values(SECRETS).flatMap((name) => [name, `${name}_FILE`]);
  const overlay = overlayEnv(configSchema, env, secretNames);
  const schema = z.preprocess((value) => overlay.apply(value), configSchema);
  const read = readYaml(schema, text, file);
  const faults = [...overlay.faults, ...(read.ok ? [] : formatFaults(read.faults, file))];
  const secrets = await readSecrets(env, faults);
  if (read.ok && read.value.kafka.sasl && secrets.kafkaSaslPassword === undefined) {
    faults.push(
      `${file}: kafka.sasl: no password: set ${SECRETS.kafkaSaslPassword} or ${SECRETS.kafkaSaslPassword}_FILE`,
    );
  }
  if (!read.ok || faults.length > 0) {
    throw new AppError(
      'config_invalid',
      `the configuration has ${faults.length} faults:\n${faults.join('\n')}`,
    );
  }
  return { config: absolutePaths(read.value, dirname(resolve(file))), secrets };
}

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
  return secrets;
}

/** A model may be a name; it is a path when it looks like one. */
function isPath(model: string): boolean {
  return isAbsolute(model) || /^\.{1,2}(\/|$)/.test(model);
}

function absolutePaths(config: Config, folder: string): Config {
  const from = (path: string): string => resolve(folder, path);
  const { images, kafka, model } = config;
  if (images.root !== undefined) images.root = from(images.root);
  if (isPath(model.path)) model.path = from(model.path);
  if (typeof kafka.tls === 'object') {
    for (const key of ['ca', 'cert', 'key'] as const) {
      const path = kafka.tls[key];
      if (path !== undefined) kafka.tls[key] = from(path);
    }
  }
  return { ...config, policies: from(config.policies) };
}
