import { relative } from 'node:path';
import { Command } from 'commander';
import { printable } from './printable.ts';

export function hashCommand(): Command {
  return new Command('hash')
    .description('print the hashes of images on disk, as a list of known images takes them')
    .argument('<image...>', 'files, or folders of images')
    .action(async (paths: string[]) => {
      const { findImages } = await import('./image-files.ts');
      const { hashFiles, LIST_HEADER, listLine } = await import('./hash-files.ts');
      const files = await findImages(paths);
      process.stdout.write(`${LIST_HEADER}\n`);
      for await (const { file, hashes, error } of hashFiles(files)) {
        const name = printable(relative('.', file));
        if (hashes) process.stdout.write(`${listLine(hashes, name)}\n`);
        else {
          process.stderr.write(`${name}: ${error.code}: ${printable(error.message)}\n`);
          process.exitCode = 1;
        }
      }
    });
}
