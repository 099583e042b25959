/**
 * `node bench/profile.ts FILE.cpuprofile`: where a process spent its time, by room of src/ and by package, as
 * a Markdown table; then the functions that took most. The files come from `node --cpu-prof --cpu-prof-dir=DIR …`.
 */
import { readFileSync } from 'node:fs';

/** The part of V8's format that is read here; times are in µs. */
interface CpuProfile {
  nodes: Array<{
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number };
  }>;
  samples: number[];
  /** Between one sample and the one before. */
  timeDeltas: number[];
}

const FUNCTIONS = 25;
/** What V8 calls the time in which no JavaScript ran. */
const IDLE = '(idle)';

const [file = ''] = process.argv.slice(2);
const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
const self = selfTimes(profile);
const busy = profile.nodes
  .filter(({ callFrame }) => callFrame.functionName !== IDLE)
  .reduce((sum, { id }) => sum + (self.get(id) ?? 0), 0);

console.log(`busy for ${(busy / 1e6).toFixed(1)} s\n`);
console.log(
  table(
    'room or package',
    sumBy(({ url, functionName }) => roomOf(url, functionName)),
  ),
);
console.log(
  table(
    'function',
    sumBy(({ url, functionName, lineNumber }) =>
      url === ''
        ? functionName
        : `${functionName || '(anonymous)'} ${shorten(url)}:${lineNumber + 1}`,
    ).slice(0, FUNCTIONS),
  ),
);

/** By node, in µs. */
function selfTimes({ samples, timeDeltas }: CpuProfile): Map<number, number> {
  const times = new Map<number, number>();
  samples.forEach((id, index) => {
    times.set(id, (times.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  });
  return times;
}

function sumBy(nameOf: (frame: CpuProfile['nodes'][0]['callFrame']) => string): [string, number][] {
  const sums = new Map<string, number>();
  for (const { id, callFrame } of profile.nodes) {
    if (callFrame.functionName === IDLE) continue;
    const name = nameOf(callFrame);
    sums.set(name, (sums.get(name) ?? 0) + (self.get(id) ?? 0));
  }
  return [...sums].sort(([, a], [, b]) => b - a);
}

function roomOf(url: string, functionName: string): string {
  if (url.startsWith('node:')) return 'node:';
  const packageName = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (packageName !== undefined) return packageName;
  const ours = /\/((?:src|bench)\/(?:[^/]+\/|[^/]+\.ts))/.exec(url)?.[1];
  return ours ?? (functionName === '(garbage collector)' ? 'garbage collector' : 'native');
}

function shorten(url: string): string {
  return url.replace(/.*\/node_modules\//, '').replace(/.*\/(src|bench)\//, '$1/');
}

function table(head: string, rows: readonly [string, number][]): string {
  const line = ([name, us]: readonly [string, number]): string =>
    `| ${name} | ${(us / 1e6).toFixed(2)} | ${((100 * us) / busy).toFixed(1)} % |`;
  return [`| ${head} | s | share |`, '|---|---|---|', ...rows.map(line), ''].join('\n');
}
