import type { Row } from './picture.ts';
import { ANIMATIONS } from './transformations/animations.ts';
import { APPEARANCE } from './transformations/appearance.ts';
import { COLOUR } from './transformations/colour.ts';
import { FRAMING } from './transformations/framing.ts';
import { TRANSPARENCY } from './transformations/transparency.ts';

const UNCHANGED: Row = {
  group: 'unchanged',
  name: 'the photo itself',
  strength: '',
  make: ({ bytes }) => Promise.resolve(bytes),
};

/** Every way to hide a subject that is tried. */
export const ROWS: readonly Row[] = [
  UNCHANGED,
  ...FRAMING,
  ...APPEARANCE,
  ...TRANSPARENCY,
  ...ANIMATIONS,
  ...COLOUR,
];
