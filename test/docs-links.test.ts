import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { packageFile } from '../src/package-files.ts';
import { runCli } from './support/cli.ts';

const root = packageFile('');
const pages = globSync('**/*.md', {
  cwd: root,
  exclude: (name) => ['node_modules', 'dist', 'out', '.git', 'peers'].includes(name),
});
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');

/** As GitHub makes them: https://github.com/gjtorikian/html-pipeline */
function anchorsOf(markdown: string): Set<string> {
  const headings = withoutCode(markdown).matchAll(/^#{1,6} +(.+)$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^( *)```[\s\S]*?^ *```$/gm, '');
}

/** The relative links of a page that lead nowhere. */
function brokenLinks(page: string): string[] {
  const links = withoutCode(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) return [link];
    const found = anchor === undefined || anchorsOf(textOf(target)).has(anchor);
    return found ? [] : [link];
  });
}

/** What a page tells its reader to type, after `start`. */
function commands(start: RegExp): Array<{ page: string; words: string[] }> {
  return pages.flatMap((page) =>
    [...textOf(page).matchAll(start)].map(([, rest = '']) => ({
      page,
      words: rest.split(/\s+/).filter((word) => word !== ''),
    })),
  );
}

describe('the documentation', () => {
  it.each(pages)('%s: every relative link leads somewhere', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('names only npm scripts that there are', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const named = commands(/\bnpm run ([a-z][\w:-]*)/g).flatMap(({ words }) => words);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names only commands and options that moderato has', async () => {
    const named = commands(/(?:npx|^|`) ?moderato ((?:[a-z]+|--?[a-z-]+)[^`\n#|&]*)/gm);
    expect(named.length).toBeGreaterThan(20);
    const help = new Map<string, string>();
    const helpOf = async (words: string[]): Promise<string> => {
      const key = words.join(' ');
      const known = help.get(key) ?? (await runCli([...words, '--help'])).stdout;
      help.set(key, known);
      return known;
    };
    const wrong: string[] = [];
    for (const { page, words } of named) {
      const [command = '', sub = ''] = words;
      if (command.startsWith('-')) continue;
      const path =
        ['models', 'topics', 'dead-letters', 'record'].includes(command) && sub !== '…'
          ? [command, sub]
          : [command];
      const usage = await helpOf(path);
      const options = words.filter((word) => /^--?[a-z]/.test(word));
      const unknown = options.filter(
        (option) => !new RegExp(`(^|\\s)${option}[\\s,]`, 'm').test(usage),
      );
      if (!usage.startsWith(`Usage: moderato ${path.join(' ')}`) || unknown.length > 0) {
        wrong.push(`${page}: moderato ${words.join(' ')}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 180_000);
});
