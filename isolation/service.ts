import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { packageFile } from '../src/package-files.ts';
import { SupervisedService } from '../suites/supervised-service.ts';

export interface RunningService {
  service: SupervisedService;
  pid: number;
  /** Where `/metrics` is, on 127.0.0.1. */
  port: number;
  logFile: string;
}

export interface ServiceSettings {
  name: string;
  /** Of the configuration file. */
  folder: string;
  config: Record<string, unknown>;
  /** Another checkout of this package. */
  package?: string | undefined;
}

const STARTING_MS = 60_000;

/** What every configuration of the suite has; the pictures repeat, and each event is to cost what a new one costs. */
export const COMMON = {
  policies: packageFile('policies/demo.yaml'),
  model: { path: 'starter' },
  dedupe: { maxBytes: 0 },
  observability: { http: { host: '127.0.0.1', port: 0 } },
} as const;

/** Starts the real service in a process of its own and waits until it runs; its log stays in `out/isolation`. */
export async function startService(settings: ServiceSettings): Promise<RunningService> {
  const { name, folder, config } = settings;
  const logFolder = join(process.cwd(), 'out', 'isolation');
  await mkdir(logFolder, { recursive: true });
  const configFile = join(folder, `${name}.yaml`);
  await writeFile(configFile, stringify({ ...COMMON, ...config }));
  const logFile = join(logFolder, `${name}.log`);
  const running = Promise.withResolvers<{ pid: number; port: number }>();
  const service = new SupervisedService({
    configFile,
    logFile,
    ...(settings.package !== undefined && {
      program: join(settings.package, 'bin', 'moderato.js'),
    }),
    onRunning: (pid, port) => running.resolve({ pid, port }),
  });
  const late = sleep(STARTING_MS, undefined, { ref: false });
  const started = await Promise.race([running.promise, service.gaveUp, late]);
  if (started) return { service, logFile, ...started };
  await service.close('SIGKILL');
  throw new Error(`the service does not start; see ${logFile}`);
}
