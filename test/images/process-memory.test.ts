import { describe, expect, it } from '@jest/globals';
import { peakBytes, residentBytes } from '../../src/images/process-memory.ts';

/** Each thread of a process adds up its pages for itself and tells the kernel of some dozens at once. */
const UNCOUNTED = 4 * 1024 * 1024;

describe('peakBytes', () => {
  it('is no less than what the process had at any time', () => {
    const buffer = Buffer.alloc(64 * 1024 * 1024, 1);
    const during = residentBytes(process.pid) ?? 0;
    expect(during).toBeGreaterThan(buffer.length);
    expect(peakBytes(process.pid)).toBeGreaterThanOrEqual(during - UNCOUNTED);
  });

  it('is not known of a process that is not there', () => {
    expect(peakBytes(2 ** 31 - 1)).toBeNull();
  });
});
