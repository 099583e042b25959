import { Command } from 'commander';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { App, Overrides } from '../app.ts';

/** Beyond the drain deadline, for commits and goodbyes, before the process is ended whatever it waits for. */
const BACKSTOP_MS = 10_000;
/** Between the end of the service and that of its process, in ms. */
const LINGER_MS = 250;

export function runCommand(): Command {
  return new Command('run')
    .description('judge the image events of a topic until told to stop (SIGTERM or Ctrl-C)')
    .requiredOption('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .action((options: { config: string }) => serve(options.config));
}

/** Runs the service until a signal has ended it. Throws what ended it otherwise. */
export async function serve(
  configFile: string,
  { onRunning, ...overrides }: Overrides & { onRunning?: () => void } = {},
): Promise<void> {
  const { loadConfig } = await import('../config.ts');
  const { createLogger } = await import('../logger.ts');
  const { createApp } = await import('../app.ts');
  const { inputTopics } = await import('../topics.ts');

  const loaded = await loadConfig(configFile);
  const { observability, pipeline, topics } = loaded.config;
  const logger = createLogger({ level: observability.logLevel });
  using signals = listenForSignals(pipeline.drainTimeoutMs, logger);
  const app = await createApp(loaded, logger, overrides);
  signals.stopApp(app);
  logger.info({ topics: inputTopics(topics), httpPort: app.httpPort }, 'running');
  onRunning?.();
  try {
    await app.run();
    logger.info({}, 'stopped');
  } catch (error) {
    logger.error({ err: error }, 'stopped by an error');
    throw error;
  } finally {
    // Timers of libraries, such as those of requests that are given up, are not waited for.
    setTimeout(() => {
      logger.debug({ held: process.getActiveResourcesInfo() }, 'ending the process');
      process.exit();
    }, LINGER_MS).unref();
  }
}

/** sysexits.h: an internal software error. */
const EX_SOFTWARE = 70;

interface Signals extends Disposable {
  /** From now on the first signal drains this app. */
  stopApp(app: App): void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Before the app is there a signal ends the process, for nothing was taken yet; then the first one drains and
 * a second one ends the process at once. As process 1 of a container, nobody else would listen to any.
 */
function listenForSignals(drainTimeoutMs: number, logger: Logger): Signals {
  let app: App | undefined;
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (app === undefined || stopping) {
      logger.warn({ signal }, 'ending at once; what was in flight will be read again');
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }
    stopping = true;
    setTimeout(() => {
      logger.error({}, 'still not stopped: ending at once');
      process.exit(75);
    }, drainTimeoutMs + BACKSTOP_MS).unref();
    app.stop().catch((error: unknown) => logger.error({ err: error }, messageOf(error)));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // It escaped every promise: what was in flight is noted, so that a record that repeats it is found.
  const onError = (error: unknown): void => {
    logger.error({ err: error }, 'unexpected error (this is a bug): noting what was in flight');
    const noted = app?.died(error) ?? Promise.resolve();
    void noted.finally(() => process.exit(EX_SOFTWARE));
  };
  process.once('uncaughtException', onError);
  return {
    stopApp: (started) => {
      app = started;
    },
    [Symbol.dispose]: () => {
      process.off('uncaughtException', onError);
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
