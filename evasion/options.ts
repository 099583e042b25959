import { Command } from 'commander';

export interface EvasionOptions {
  views: 'single' | 'standard' | 'thorough';
  /** Folders of harmless photos to count false alarms on; the samples where there are none. */
  harmless: string[];
  /** Compare with the kept table, and end with 1 where a row is worse. */
  check: boolean;
  /** Keep this run's table. */
  write: boolean;
}

const LOOKS = ['single', 'standard', 'thorough'] as const;

export function parseOptions(argv: readonly string[]): EvasionOptions {
  const program = new Command('evasion')
    .description(
      'hides a bear and a motorcycle in every way that it knows, and counts who finds them',
    )
    .option('--views <looks>', `images.views: ${LOOKS.join(', ')}`, looksOf, 'standard')
    .option('--harmless <folder...>', 'folders of harmless photos, for the false alarms', [])
    .option('--check', 'end with 1 where a row shows less of its subject than the kept run', false)
    .option('--write', 'keep this run to compare others with', false);
  return program.parse(argv).opts<EvasionOptions>();
}

function looksOf(value: string): EvasionOptions['views'] {
  const found = LOOKS.find((looks) => looks === value);
  if (found === undefined) throw new Error(`--views: ${value} is none of ${LOOKS.join(', ')}`);
  return found;
}
