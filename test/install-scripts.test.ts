import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { packageFile } from '../src/package-files.ts';

const read = (file: string): unknown => JSON.parse(readFileSync(packageFile(file), 'utf8'));

describe('install scripts of dependencies', () => {
  const { packages } = read('package-lock.json') as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const { allowScripts } = read('package.json') as { allowScripts: Record<string, boolean> };

  it('each have a decision, and nothing else has one', () => {
    const scripted = Object.entries(packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
    expect(Object.keys(allowScripts).sort()).toEqual([...new Set(scripted)].sort());
  });

  it('are allowed to Node alone, which nothing works without', () => {
    const allowed = Object.entries(allowScripts).filter(([, yes]) => yes);
    expect(allowed).toEqual([['node', true]]);
  });

  it('are in the table of the documentation', () => {
    const page = readFileSync(packageFile('docs/install.md'), 'utf8');
    for (const name of Object.keys(allowScripts)) expect(page).toContain(`\`${name}\``);
  });
});
