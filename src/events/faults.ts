/** What is wrong at one place of a message. `path` is dotted: `image.bytes`; empty for the message itself. */
export interface Fault {
  path: string;
  problem: string;
}

/** Puts `outer` before the paths of the faults from index `from` on. */
export function prefixFaults(faults: Fault[], from: number, outer: string): void {
  for (let index = from; index < faults.length; index++) {
    const fault = faults[index];
    if (fault) fault.path = joinPath(outer, fault.path);
  }
}

export function joinPath(outer: string, inner: string): string {
  return outer === '' || inner === '' ? outer + inner : `${outer}.${inner}`;
}
