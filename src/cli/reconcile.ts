import { Command, InvalidArgumentError } from 'commander';
import { progressBar } from './progress.ts';
import { wholeNumberFrom } from './whole-number.ts';
import { untilSignal } from './until-signal.ts';

interface ReconcileOptions {
  config: string;
  topic?: string;
  from?: number;
  to?: number;
  limit: number;
  json?: true;
  temp?: string;
}

export function reconcileCommand(): Command {
  return new Command('reconcile')
    .description('prove that every record of the input topics has exactly one verdict')
    .option('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .option('-t, --topic <name>', 'only this lane; else each of them, one report after the other')
    .option('--from <time>', 'only input records from this time on (ISO 8601)', time)
    .option('--to <time>', 'only input records before this time (ISO 8601)', time)
    .option('--limit <n>', 'how many of each kind of finding to name', wholeNumberFrom(0), 20)
    .option('--json', 'each report as one JSON object in a line')
    .option('--temp <folder>', "where the temporary file is made, instead of the system's folder")
    .action(async (options: ReconcileOptions) => {
      const { connect } = await import('./connect.ts');
      const { reconcile } = await import('../reconcile/reconcile.ts');
      const { renderReconciliation } = await import('./render-reconciliation.ts');
      const { lanesAskedAbout } = await import('./lanes-asked-about.ts');
      const { loaded, kafka, registry } = await connect(options.config);
      const until = untilSignal();
      for (const input of lanesAskedAbout(loaded.config.topics, options.topic)) {
        const report = await reconcile({
          kafka,
          registry,
          redriveKey: loaded.secrets.redriveKey,
          input,
          topics: loaded.config.topics,
          groupId: loaded.config.kafka.groupId,
          window: { fromMs: options.from, toMs: options.to },
          limit: options.limit,
          tempFolder: options.temp,
          signal: until.signal,
          onStage: progressBar,
        });
        const text = options.json ? JSON.stringify(report) : renderReconciliation(report);
        process.stdout.write(`${text}\n`);
        if (!report.proven) process.exitCode = 1;
      }
    });
}

function time(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('expected a time such as 2026-11-23T16:00Z');
  return ms;
}
