import { Command } from 'commander';

export interface TruthOptions {
  chromium: string;
  /** A folder whose files are compared in place of the generated ones. */
  folder: string[];
  write: boolean;
}

export function parseOptions(argv: readonly string[]): TruthOptions {
  const program = new Command('browser-truth')
    .description('compares what Moderato judges of pictures with what Chromium draws of them')
    .option('--chromium <path>', 'the browser', '/usr/bin/chromium')
    .option(
      '--folder <path>',
      'compares the pictures of this folder, at any depth; may be repeated',
      (path: string, others: string[]) => [...others, path],
      [] as string[],
    )
    .option('--write', 'stores the generated files and what Chromium drew as fixtures', false);
  return program.parse(argv).opts<TruthOptions>();
}
