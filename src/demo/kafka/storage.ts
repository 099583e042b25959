import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.ts';

/** Any base64url of 16 bytes; the same for every local cluster, so that formatted storage can be reused. */
const CLUSTER_ID = 'bW9kZXJhdG8tbG9jYWwtMQ';

export interface StorageOptions {
  nodeId: number;
  dataFolder: string;
  propertiesFile: string;
  scramUsers: Record<string, string>;
  cache: string;
  java: string;
  javaArgs: readonly string[];
}

/**
 * Formats a node's data folder. Kafka's own tool costs a JVM start each time, so its outcome (two small files)
 * is kept in the cache and copied from then on.
 */
export async function formatStorage(options: StorageOptions): Promise<void> {
  const { dataFolder, scramUsers } = options;
  const key = createHash('sha256')
    .update(JSON.stringify([CLUSTER_ID, options.nodeId, scramUsers]))
    .digest('hex')
    .slice(0, 12);
  const template = join(options.cache, `storage-${key}`);
  if (existsSync(template)) {
    await cp(template, dataFolder, { recursive: true });
    return;
  }
  const scram = Object.entries(scramUsers).flatMap(([user, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${user},password=${password}]`,
    ]),
  );
  await runCommand(options.java, [
    ...options.javaArgs,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    CLUSTER_ID,
    '-c',
    options.propertiesFile,
    ...scram,
  ]);
  const temp = `${template}.${process.pid}`;
  await cp(dataFolder, temp, { recursive: true });
  // Fails when another process was first, whose template is the same.
  await rename(temp, template).catch(() => rm(temp, { recursive: true }));
}
