import { Command, Option } from 'commander';
import type { FilterOptions } from './letter-filter.ts';
import type { RedriveLettersOptions } from './redrive-letters.ts';
import { wholeNumberFrom } from './whole-number.ts';

interface ListOptions extends FilterOptions {
  config: string;
  all?: true;
  limit: number;
  json?: true;
}

interface ShowOptions {
  config: string;
  value?: true;
  json?: true;
}

/** `moderato dead-letters …`: find, show and redrive dead letters. */
export function deadLettersCommand(): Command {
  return new Command('dead-letters')
    .description('find, show and redrive dead letters')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(redriveCommand());
}

function listCommand(): Command {
  return filtered(
    new Command('list').description('the newest dead letters, and how many there are'),
  )
    .option('--all', 'those that were redriven too')
    .option('--limit <n>', 'how many to list', wholeNumberFrom(1), 50)
    .option('--json', 'one dead letter per line')
    .action(async (options: ListOptions) => {
      const { openLetters } = await import('./open-letters.ts');
      const { filterOf } = await import('./letter-filter.ts');
      const { listLetters } = await import('../dead-letters/list.ts');
      const { letterJson, renderLetterList } = await import('./render-letters.ts');
      const filter = filterOf(options, Date.now());
      const { source } = await openLetters(options.config);
      const withRedriven = options.all ?? false;
      const list = await listLetters({ ...source, filter, limit: options.limit, withRedriven });
      if (!options.json) console.log(renderLetterList(list, withRedriven));
      else for (const letter of list.letters) console.log(letterJson(letter));
    });
}

function showCommand(): Command {
  return new Command('show')
    .description('everything of one dead letter')
    .argument('<position>', '<partition>/<offset> in the dead-letter topic, as list shows it')
    .option('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .addOption(new Option('--value', 'only the original value, byte for byte').conflicts('json'))
    .option('--json', 'as one JSON object, the value in base64')
    .action(async (text: string, options: ShowOptions) => {
      const { openLetters } = await import('./open-letters.ts');
      const { parsePositions } = await import('../dead-letters/filter.ts');
      const { showLetter } = await import('../dead-letters/show.ts');
      const { letterJson } = await import('./render-letters.ts');
      const { renderLetter } = await import('./render-letter.ts');
      const [position] = parsePositions([text]).values();
      if (!position) return;
      const { source } = await openLetters(options.config);
      const letter = await showLetter(source, position);
      if (options.value) process.stdout.write(letter.value ?? '');
      else console.log(options.json ? letterJson(letter) : renderLetter(letter));
    });
}

function redriveCommand(): Command {
  return filtered(
    new Command('redrive').description(
      'publish the records of dead letters again; those that were redriven already are skipped',
    ),
  )
    .argument('[position...]', '<partition>/<offset> of single dead letters, instead of options')
    .option('--all', 'every dead letter')
    .option('--topic <name>', 'publish them there, and not each to its original topic')
    .option('--dry-run', 'only tell what would be redriven')
    .option('--json', 'the summary as one JSON object')
    .action(async (texts: string[], options: RedriveLettersOptions) => {
      const { redriveLetters } = await import('./redrive-letters.ts');
      await redriveLetters(texts, options);
    });
}

function filtered(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .option('--code <code...>', 'only those with one of these error codes')
    .option(
      '--since <time>',
      'only those that failed at this time or later: ISO 8601, or an age (2h, 3d)',
    )
    .option('--until <time>', 'only those that failed before this time');
}
