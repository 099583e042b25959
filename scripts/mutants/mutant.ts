/** A safeguard that is taken out of a copy of the sources. */
export interface Mutant {
  safeguard: string;
  file: string;
  /** Is in the file exactly once. */
  from: string;
  to: string;
  /** Unit tests of which one notices. */
  tests: string[];
}
