import type { Case } from './cases.ts';
import type { CaseOutcome } from './service-messages.ts';

/** Of one case, without its bytes. */
export interface Remark {
  number: number;
  name: string;
  format: string;
  code: string;
  ms: number;
}

/** Codes of images that took a decoder process with them: each costs one image and is no fault of the service. */
export const COSTLY = ['image_decode_crashed', 'image_decode_timeout', 'image_decode_memory'];

/** What became of the cases, counted. */
export class Tally {
  /** By code, or by outcome where the image was inspected; within it by format. */
  readonly counts = new Map<string, Map<string, number>>();
  readonly costly: Remark[] = [];
  readonly overTime: Remark[] = [];
  slowest: Remark | undefined;
  readonly #maxMs: number;

  /** `maxMs`: what a case may take at most. */
  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  add({ number, name, format }: Case, { outcome, code, ms }: CaseOutcome): void {
    const remark: Remark = { number, name, format: format ?? 'none', code: code ?? outcome, ms };
    const formats = this.counts.get(remark.code) ?? new Map<string, number>();
    formats.set(remark.format, (formats.get(remark.format) ?? 0) + 1);
    this.counts.set(remark.code, formats);
    if (COSTLY.includes(remark.code)) this.costly.push(remark);
    if (ms > this.#maxMs) this.overTime.push(remark);
    if (ms > (this.slowest?.ms ?? -1)) this.slowest = remark;
  }
}
