import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { AppError } from '../errors.ts';
import { packageFile } from '../package-files.ts';
import { CATALOG } from './catalog.ts';

/** Where Moderato keeps what it can fetch or compute again: `$XDG_CACHE_HOME/moderato`, else `~/.cache/moderato`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  // The XDG specification: a relative path is invalid and to be ignored.
  const usable = base !== undefined && isAbsolute(base);
  return join(usable ? base : join(homedir(), '.cache'), 'moderato');
}

/** Where pulled models lie, each in a folder of its name. */
export function modelsFolder(cache = cacheFolder()): string {
  return join(cache, 'models');
}

/** Where prepared graphs lie. */
export function preparedFolder(cache = cacheFolder()): string {
  return join(cache, 'prepared');
}

/**
 * The folder of a model: `starter` is the one that ships with Moderato; `./x`, `a/b` and absolute paths are
 * folders, relative ones to `base`; anything else is the name of a pulled model.
 * Throws AppError `model_not_found`, with the command that pulls it.
 */
export async function resolveModel(
  nameOrPath: string,
  options: { base?: string; cache?: string } = {},
): Promise<string> {
  if (nameOrPath === 'starter') return packageFile('models/starter');
  const asPath = resolve(options.base ?? '.', nameOrPath);
  if (/^\.{1,2}$|[/\\]/.test(nameOrPath)) {
    if (await isFolder(asPath)) return asPath;
    throw new AppError(
      'model_not_found',
      `looking for the model ${nameOrPath}: no folder ${asPath}`,
    );
  }
  const pulled = join(modelsFolder(options.cache), nameOrPath);
  // moderato.json is written last: without it the pull did not finish.
  if (await exists(join(pulled, 'moderato.json'))) return pulled;
  if (await isFolder(asPath)) return asPath;
  const entry = CATALOG.find(({ name }) => name === nameOrPath);
  throw new AppError(
    'model_not_found',
    entry
      ? `looking for the model ${nameOrPath}: it is not on this machine; run: moderato models pull ${nameOrPath}`
      : `looking for the model ${nameOrPath}: no folder and no model of that name. ` +
          `Known names: starter, ${CATALOG.map(({ name }) => name).join(', ')}.`,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
