import { join } from 'node:path';
import { runCommand, commandFault } from './command.ts';

/** Kafka 4 needs it. */
const LEAST_MAJOR = 17;

export interface Java {
  command: string;
  /** The whole version text: class-data archives are of one JVM build only. */
  version: string;
}

/** The Java to run a broker with, or why there is none. Honours JAVA_HOME. */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<Java | string> {
  const home = env['JAVA_HOME'];
  const command = home !== undefined && home !== '' ? join(home, 'bin', 'java') : 'java';
  try {
    const { stdout, stderr } = await runCommand(command, ['-version'], { env, timeoutMs: 20_000 });
    const version = `${stdout}${stderr}`.trim();
    const major = Number(/version "(?:1\.)?(\d+)/.exec(version)?.[1] ?? 0);
    if (major >= LEAST_MAJOR) return { command, version };
    return `Java ${major} found, ${LEAST_MAJOR} or newer needed`;
  } catch (error) {
    return `Java: ${commandFault(error)}`;
  }
}
