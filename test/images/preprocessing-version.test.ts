import { readFileSync } from 'node:fs';

import { expect, it } from '@jest/globals';

import { DECODER, preprocessingVersion } from '../../src/images/preprocessing-version.ts';
import { packageFile } from '../../src/package-files.ts';
import { clipSpec, siglipSpec } from '../support/tiny-clip.ts';

it('names the decoder that is installed', () => {
  const text = readFileSync(packageFile('node_modules/sharp/package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  expect(`sharp-${version}.`.startsWith(`${DECODER}.`)).toBe(true);
});

it('differs where the pixels would', () => {
  const specs = [
    clipSpec,
    siglipSpec,
    { ...clipSpec, resizeTo: 256 },
    { ...clipSpec, width: 256 },
    { ...clipSpec, kernel: 'bilinear' as const },
  ];
  expect(new Set(specs.map(preprocessingVersion)).size).toBe(specs.length);
  expect(preprocessingVersion(clipSpec)).toBe('sharp-0.35/bicubic/crop-224-224x224/2');
});

it('does not depend on what comes after the pixels', () => {
  const other = { ...clipSpec, mean: [0, 0, 0] as const, std: [1, 1, 1] as const };
  expect(preprocessingVersion(other)).toBe(preprocessingVersion(clipSpec));
});
