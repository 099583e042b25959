import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { CatalogEntry } from './catalog.ts';
import { downloadFile, type DownloadOptions } from './download.ts';
import { fileUrl, readRevision, type HubFile } from './hub.ts';
import { hashFile, isMissing, readJsonFile } from './model-files.ts';
import { readModelFolder, type ModelFolder } from './model-folder.ts';
import type { Manifest } from './model-manifest.ts';

export interface PullOptions {
  entry: CatalogEntry;
  /** The hub's base URL, without a slash at its end. */
  endpoint: string;
  /** The model's own folder; made if it is not there. */
  folder: string;
  onFile?: (file: PullProgress) => void;
  signal?: AbortSignal;
  /** How patient the downloads are. */
  patience?: Pick<DownloadOptions, 'attempts' | 'stallTimeoutMs' | 'backoffMs' | 'clock'>;
}

export interface PullProgress {
  name: string;
  done: number;
  total: number | null;
}

export interface PullResult {
  model: ModelFolder;
  commit: string;
  /** Files that no pinned hash stood for: recorded now, and held to it from now on. */
  trustedOnFirstUse: readonly string[];
}

/** What the first pull found, so that every later one must find the same. */
const lockSchema = z.strictObject({
  repo: z.string(),
  revision: z.string(),
  files: z.record(z.string(), z.strictObject({ bytes: z.int(), sha256: z.string() })),
});
type Lock = z.infer<typeof lockSchema>;
const LOCK = 'moderato.lock.json';

/**
 * Fetches a model of the catalogue into `folder`. Files that are there and right are kept, so that a pull
 * that was cut off goes on. `moderato.json` is written last: a folder without it is not a model yet.
 *
 * Throws AppError `model_download_failed`, `model_corrupt`, `model_invalid` or `aborted`.
 */
export async function pullModel(options: PullOptions): Promise<PullResult> {
  const { entry, endpoint, folder, signal, onFile, patience } = options;
  await mkdir(folder, { recursive: true });
  const found = await readJsonFile(folder, LOCK, lockSchema);
  const previous = found?.repo === entry.repo ? found : null;
  const hub = await readRevision(endpoint, entry.repo, previous?.revision ?? entry.revision);
  const lock: Lock = { repo: entry.repo, revision: hub.commit, files: { ...previous?.files } };
  await writeJson(folder, LOCK, lock);

  const trusted: string[] = [];
  for (const { name, sha256: pinned } of entry.files) {
    const onHub = hub.files.get(name);
    if (!onHub) {
      throw new AppError(
        'model_download_failed',
        `pulling ${entry.name}: ${entry.repo} has no ${name}`,
      );
    }
    const expected = pinned ?? lock.files[name]?.sha256 ?? onHub.sha256 ?? undefined;
    if (expected !== undefined && onHub.sha256 !== null && onHub.sha256 !== expected) {
      throw new AppError(
        'model_corrupt',
        `pulling ${entry.name}: the hub says ${name} has SHA-256 ${onHub.sha256}, ${pinned ? 'the catalogue' : LOCK} says ${expected}. ` +
          'Whoever changed it, this is not the model that was asked for.',
      );
    }
    const to = join(folder, name);
    let file = await hashIfThere(to);
    if (!file || expected === undefined || file.sha256 !== expected) {
      file = await downloadFile({
        url: fileUrl(endpoint, entry.repo, hub.commit, name),
        to,
        sha256: expected,
        ...(signal && { signal }),
        onProgress: (done, total) => onFile?.({ name, done, total: total ?? onHub.bytes }),
        ...patience,
      });
    }
    onFile?.({ name, done: file.bytes, total: file.bytes });
    await checkBlob(to, entry.name, onHub);
    if (pinned === undefined && !lock.files[name]) trusted.push(name);
    lock.files[name] = file;
    await writeJson(folder, LOCK, lock);
  }

  const manifest: Manifest = {
    name: entry.name,
    ...entry.manifest,
    source: { repo: entry.repo, revision: hub.commit },
    files: lock.files,
  };
  await writeJson(folder, 'moderato.json', manifest);
  return { model: await readModelFolder(folder), commit: hub.commit, trustedOnFirstUse: trusted };
}

/** Small files have no SHA-256 on the hub, but they have their Git object id. */
async function checkBlob(path: string, model: string, { blobId }: HubFile): Promise<void> {
  if (blobId === null) return;
  const content = await readFile(path);
  const id = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
  if (id === blobId) return;
  await rm(path);
  throw new AppError(
    'model_corrupt',
    `pulling ${model}: ${path} has Git object id ${id}, the hub says ${blobId}; it was removed`,
  );
}

async function hashIfThere(path: string): Promise<{ bytes: number; sha256: string } | null> {
  return hashFile(path).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
}

async function writeJson(folder: string, name: string, value: unknown): Promise<void> {
  const path = join(folder, name);
  await writeFile(`${path}.partial`, `${JSON.stringify(value, null, 2)}\n`);
  await rename(`${path}.partial`, path);
}
