import { withProfile } from './avif-colour.ts';
import { readAvif, type Association, type AvifBoxes, type Box } from './avif-boxes.ts';
import { browserProfile } from './browser-profile.ts';

/** In the order in which browsers apply them, whatever the order in which they are listed. */
const TRANSFORMATIONS = ['clap', 'irot', 'imir'];

/** Profiles, code points, crops and turns as browsers read them. */
export function avifAsBrowsers(avif: Buffer): Buffer {
  try {
    const boxes = readAvif(avif);
    if (boxes === null) return avif;
    const copy = Buffer.from(avif);
    for (const [, associations] of boxes.associations) {
      uncrop(copy, boxes, associations);
      order(copy, boxes, associations);
    }
    for (const box of boxes.properties) rereadProfile(copy, box);
    return withProfile(copy, boxes);
  } catch (error) {
    // Numbers beyond the end of the file. By name: the error may come from another realm.
    if ((error as Error).name === 'RangeError') return avif;
    throw error;
  }
}

const typeOf = ({ properties }: AvifBoxes, { property }: Association): string =>
  properties[property - 1]?.type ?? '';

/** In place: the reduced profile is as long as it was. */
function rereadProfile(copy: Buffer, box: Box): void {
  if (box.type !== 'colr') return;
  const kind = copy.toString('latin1', box.content, box.content + 4);
  if (kind !== 'prof' && kind !== 'rICC') return;
  const profile = browserProfile(copy.subarray(box.content + 4, box.end), 'RGB ');
  if (profile !== null && profile !== 'srgb') profile.copy(copy, box.content + 4);
}

/** Chromium shows the whole picture but for a crop that is sound and begins at its top left corner. */
function uncrop(copy: Buffer, boxes: AvifBoxes, associations: readonly Association[]): void {
  const find = (type: string): Box | undefined => {
    const found = associations.find((each) => typeOf(boxes, each) === type);
    return found && boxes.properties[found.property - 1];
  };
  const [clap, ispe] = [find('clap'), find('ispe')];
  if (!clap || !ispe || clap.end - clap.content < 32) return;
  const width = copy.readUInt32BE(ispe.content + 4);
  const height = copy.readUInt32BE(ispe.content + 8);
  const ratio = (at: number): number =>
    copy.readInt32BE(clap.content + at) / copy.readInt32BE(clap.content + at + 4);
  const fits = (size: number, offset: number, of: number): boolean =>
    Number.isInteger(size) && size > 0 && size <= of && (of - size) / 2 + offset === 0;
  if (fits(ratio(0), ratio(16), width) && fits(ratio(8), ratio(24), height)) return;
  [width, 1, height, 1, 0, 1, 0, 1].forEach((value, i) => {
    copy.writeUInt32BE(value, clap.content + i * 4);
  });
}

/** Puts the turns of an item into the places that they have, in the order of browsers. */
function order(copy: Buffer, boxes: AvifBoxes, associations: readonly Association[]): void {
  const places = associations.filter((each) => TRANSFORMATIONS.includes(typeOf(boxes, each)));
  const rank = (each: Association): number => TRANSFORMATIONS.indexOf(typeOf(boxes, each));
  const bytes = boxes.associationBytes;
  const wanted = places
    .toSorted((a, b) => rank(a) - rank(b))
    .map(({ at }) => Buffer.from(copy.subarray(at, at + bytes)));
  places.forEach(({ at }, i) => wanted[i]?.copy(copy, at));
}
