import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { DISPOSITIONS } from '../src/errors.ts';
import { packageFile } from '../src/package-files.ts';

describe('docs/concepts.md', () => {
  it('lists every code that can be the reason of a verdict, and no other', () => {
    const text = readFileSync(packageFile('docs/concepts.md'), 'utf8');
    const listed = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
    const possible = Object.entries(DISPOSITIONS)
      .filter(([, disposition]) => ['not-inspected', 'dead-letter'].includes(disposition))
      .map(([code]) => code);
    expect(listed.sort()).toEqual(possible.sort());
  });
});
