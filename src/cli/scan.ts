import { createWriteStream } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { Command } from 'commander';
import type { Verdict } from '../events/types.generated.ts';
import type { ReportEntry } from '../report/report-model.ts';
import { printable } from './printable.ts';
import { progressBar } from './progress.ts';
import { renderSummary } from './render.ts';

interface ScanOptions {
  policies?: string;
  model?: string;
  report?: string;
  output?: string;
}

export function scanCommand(): Command {
  return new Command('scan')
    .description('judge every image below a folder, for example to try a policy on what you have')
    .argument('<folder...>', 'folders, or files')
    .option('-p, --policies <file>', 'the policy bundle (default: the demo bundle)')
    .option('-m, --model <name>', 'a model folder or name (default: starter)')
    .option('-r, --report <file.html>', 'write a page with thumbnails, scores and filters')
    .option('-o, --output <file.jsonl>', 'write one verdict per line; - is standard output')
    .action(async (folders: string[], options: ScanOptions) => {
      const { findImages } = await import('./image-files.ts');
      const { ensureWritable } = await import('./ensure-writable.ts');
      const { createLocalInspector, judgeFiles } = await import('./local-run.ts');
      const { reportEntry, writeReport } = await import('./report.ts');

      const files = await findImages(folders);
      const base = resolve(folders.length === 1 ? (folders[0] ?? '.') : '.');
      const nameOf = (file: string): string => relative(base, file) || basename(file);

      const inspector = await createLocalInspector(options);
      try {
        for (const path of [options.report, options.output]) {
          if (path !== undefined && path !== '-') await ensureWritable(path);
        }
        const lines = openLines(options.output);
        const bar = progressBar('scanning', files.length);
        const verdicts: Verdict[] = [];
        const entries: ReportEntry[] = [];
        const startedAt = performance.now();
        await judgeFiles({
          files,
          inspector,
          onVerdict: async (verdict, file) => {
            lines?.write(`${JSON.stringify(verdict)}\n`);
            verdicts.push(verdict);
            if (options.report !== undefined) {
              const name = nameOf(file);
              entries.push(await reportEntry(inspector.images, { file, name, verdict }));
            }
            bar.step();
          },
        });
        bar.end();
        if (lines && lines !== process.stdout) {
          lines.end();
          await finished(lines);
        }
        const elapsedMs = performance.now() - startedAt;
        process.stderr.write(`${renderSummary({ verdicts, elapsedMs })}\n`);
        if (options.report !== undefined) {
          await writeReport(options.report, `Scan of ${folders.join(', ')}`, entries);
          process.stderr.write(`Report: ${printable(resolve(options.report))}\n`);
        }
      } finally {
        await inspector.close();
      }
    });
}

function openLines(output: string | undefined): NodeJS.WritableStream | undefined {
  if (output === undefined) return undefined;
  return output === '-' ? process.stdout : createWriteStream(output);
}
