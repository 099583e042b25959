import { relative } from 'node:path';
import { Command } from 'commander';
import type { Verdict } from '../events/types.generated.ts';
import { renderVerdictTable } from './render.ts';

interface ScoreOptions {
  policies?: string;
  model?: string;
  json?: true;
}

export function scoreCommand(): Command {
  return new Command('score')
    .description('judge images on disk and show why; a table on a terminal, JSON lines otherwise')
    .argument('<image...>', 'files, or folders of images')
    .option('-p, --policies <file>', 'the policy bundle (default: the demo bundle)')
    .option('-m, --model <name>', 'a model folder or name (default: starter)')
    .option('--json', 'one verdict per line, as verdict.v1 says, even on a terminal')
    .action(async (paths: string[], options: ScoreOptions) => {
      const { findImages } = await import('./image-files.ts');
      const { createLocalInspector, judgeFiles } = await import('./local-run.ts');
      const files = await findImages(paths);
      const asJson = options.json ?? !process.stdout.isTTY;
      const entries: Array<{ name: string; verdict: Verdict }> = [];
      const inspector = await createLocalInspector(options);
      try {
        await judgeFiles({
          files,
          inspector,
          onVerdict: (verdict, file) => {
            if (asJson) process.stdout.write(`${JSON.stringify(verdict)}\n`);
            else entries.push({ name: relative('.', file), verdict });
            return Promise.resolve();
          },
        });
      } finally {
        await inspector.close();
      }
      if (!asJson) process.stdout.write(`${renderVerdictTable(entries)}\n`);
    });
}
