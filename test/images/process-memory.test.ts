import { describe, expect, it } from '@jest/globals';
import { peakBytes, residentBytes } from '../../src/images/process-memory.ts';

describe('peakBytes', () => {
  it('is no less than what the process had at any time', () => {
    const buffer = Buffer.alloc(64 * 1024 * 1024, 1);
    const during = residentBytes(process.pid) ?? 0;
    expect(during).toBeGreaterThan(buffer.length);
    expect(peakBytes(process.pid)).toBeGreaterThanOrEqual(during);
  });

  it('is not known of a process that is not there', () => {
    expect(peakBytes(2 ** 31 - 1)).toBeNull();
  });
});
