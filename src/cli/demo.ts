import { Command, Option } from 'commander';

export interface DemoOptions {
  broker: 'auto' | 'kafka' | 'memory';
  report: string;
  policies?: string;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('publish sample photos to a real Kafka and show the verdicts as they arrive')
    .addOption(
      new Option(
        '-b, --broker <kind>',
        'kafka: fail when none can be had; memory: without a broker',
      )
        .choices(['auto', 'kafka', 'memory'])
        .default('auto'),
    )
    .option('-r, --report <file.html>', 'where the page of the results goes', 'moderato-demo.html')
    .option('-p, --policies <file>', 'another policy bundle than the demo’s')
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import('../demo/run-demo.ts');
      await runDemo(options);
    });
}
