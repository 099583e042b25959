import type { Fault } from './faults.ts';
import {
  MAX_LABELS,
  MAX_LABELS_LENGTH,
  MAX_LABEL_KEY_LENGTH,
  MAX_LABEL_VALUE_LENGTH,
} from './limits.ts';

const LONGEST_KEY_SHOWN = 60;

/** Labels come back in every verdict, so they are bounded in number and size. */
export function labelFaults(labels: Record<string, string | undefined>): Fault[] {
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) {
    return [{ path: 'labels', problem: `${entries.length} labels; at most ${MAX_LABELS}` }];
  }
  const faults: Fault[] = [];
  let total = 0;
  for (const [key, value = ''] of entries) {
    const path = `labels.${key.slice(0, LONGEST_KEY_SHOWN)}`;
    if (key.length > MAX_LABEL_KEY_LENGTH) {
      const problem = `a key of ${key.length} characters; at most ${MAX_LABEL_KEY_LENGTH}`;
      faults.push({ path, problem });
    }
    if (value.length > MAX_LABEL_VALUE_LENGTH) {
      const problem = `${value.length} characters; at most ${MAX_LABEL_VALUE_LENGTH}`;
      faults.push({ path, problem });
    }
    total += key.length + value.length;
  }
  if (total > MAX_LABELS_LENGTH && faults.length === 0) {
    const problem = `${total} characters together; at most ${MAX_LABELS_LENGTH}`;
    faults.push({ path: 'labels', problem });
  }
  return faults;
}
