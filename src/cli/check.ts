import { Command } from 'commander';
import { styleText } from 'node:util';
import type { Finding } from './checks.ts';
import { printable } from './printable.ts';

export function checkCommand(): Command {
  return new Command('check')
    .description('look for everything that would keep `run` from working, and say it all at once')
    .option('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .option('--offline', 'leave out what needs Kafka and the schema registry')
    .action(async (options: { config: string; offline?: true }) => {
      const { findFaults } = await import('./checks.ts');
      const findings = await findFaults(options.config, { offline: options.offline ?? false });
      for (const finding of findings) process.stdout.write(`${render(finding)}\n`);
      const faults = findings.filter(({ ok }) => !ok).length;
      if (faults > 0) process.exitCode = 1;
      process.stdout.write(`${summary(faults)}\n`);
    });
}

function summary(faults: number): string {
  if (faults === 0) return 'Nothing is in the way.';
  return faults === 1 ? '1 fault.' : `${faults} faults.`;
}

function render({ ok, isWarning, what }: Finding): string {
  const good = isWarning ? styleText('yellow', '!') : styleText('green', '✓');
  return `${ok ? good : styleText('red', '✗')} ${printable(what)}`;
}
