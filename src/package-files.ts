import { fileURLToPath } from 'node:url';

/** The absolute path of a file that ships with the package, named from the package's root. */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}
