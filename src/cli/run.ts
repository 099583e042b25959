import { Command } from 'commander';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { App } from '../app.ts';

/** Beyond the drain deadline, for commits and goodbyes, before the process is ended whatever it waits for. */
const BACKSTOP_MS = 10_000;

export function runCommand(): Command {
  return new Command('run')
    .description('judge the image events of a topic until told to stop (SIGTERM or Ctrl-C)')
    .requiredOption('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .action(async (options: { config: string }) => {
      const { loadConfig } = await import('../config.ts');
      const { createLogger } = await import('../logger.ts');
      const { createApp } = await import('../app.ts');

      const loaded = await loadConfig(options.config);
      const { observability, pipeline, topics } = loaded.config;
      const logger = createLogger({ level: observability.logLevel });
      const app = await createApp(loaded, logger);
      const signals = stopOnSignal(app, pipeline.drainTimeoutMs, logger);
      logger.info({ topic: topics.input, httpPort: app.httpPort }, 'running');
      try {
        await app.run();
        logger.info({}, 'stopped');
      } catch (error) {
        logger.error({ err: error }, 'stopped by an error');
        throw error;
      } finally {
        signals.abort();
      }
    });
}

/** The first signal drains, a second one ends the process at once; abort the result to stop listening. */
function stopOnSignal(app: App, drainTimeoutMs: number, logger: Logger): AbortController {
  const listening = new AbortController();
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) {
      logger.warn(
        { signal },
        'second signal: ending at once; what is in flight will be read again',
      );
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }
    stopping = true;
    setTimeout(() => {
      logger.error({}, 'still not stopped: ending at once');
      process.exit(75);
    }, drainTimeoutMs + BACKSTOP_MS).unref();
    app.stop().catch((error: unknown) => logger.error({ err: error }, messageOf(error)));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
  listening.signal.addEventListener('abort', () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, onSignal);
  });
  return listening;
}
