import { Command } from 'commander';
import { renderVerdictLine } from './render.ts';
import { printable } from './printable.ts';
import { untilSignal } from './until-signal.ts';
import { wholeNumberFrom } from './whole-number.ts';

interface TailOptions {
  config: string;
  fromBeginning?: true;
  json?: true;
  count?: number;
}

export function tailCommand(): Command {
  return new Command('tail')
    .description('show verdicts as they arrive')
    .option('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .option('--from-beginning', 'show the verdicts that are already there first')
    .option('--json', 'one verdict per line, as verdict.v1 says')
    .option('-n, --count <n>', 'stop after so many verdicts', wholeNumberFrom(1))
    .action(async (options: TailOptions) => {
      const { connect } = await import('./connect.ts');
      const { tailVerdicts } = await import('./tail-verdicts.ts');
      const { loaded, kafka, registry } = await connect(options.config);
      const { verdicts, routes } = loaded.config.topics;
      const until = untilSignal();
      let left = options.count ?? Number.POSITIVE_INFINITY;
      await tailVerdicts({
        kafka,
        registry,
        topics: [...new Set([verdicts, ...Object.values(routes)])],
        fromBeginning: options.fromBeginning ?? false,
        signal: until.signal,
        onVerdict: (verdict) => {
          if (left === 0) return;
          left -= 1;
          const line = options.json
            ? JSON.stringify(verdict)
            : renderVerdictLine(verdict, verdict.eventId ?? '(no event id)');
          process.stdout.write(`${line}\n`);
          if (left === 0) until.abort();
        },
        onUndecodable: ({ topic, partition, offset }, { code, message }) =>
          void process.stderr.write(
            `moderato: ${topic}/${partition}/${offset} is no verdict: ${code}: ${printable(message)}\n`,
          ),
      });
    });
}
