import { SingleBar } from 'cli-progress';

export interface Progress {
  /** `count` more are done. @default 1 */
  step(count?: number): void;
  end(): void;
}

/** A bar on a terminal, a line now and then elsewhere; always on stderr. */
export function progressBar(doing: string, total: number): Progress {
  return process.stderr.isTTY ? drawnBar(doing, total) : plainLines(doing, total);
}

function drawnBar(doing: string, total: number): Progress {
  const bar = new SingleBar({
    format: `${doing} [{bar}] {value}/{total}, {eta_formatted} left`,
    hideCursor: true,
    stream: process.stderr,
  });
  bar.start(total, 0);
  return { step: (count = 1) => bar.increment(count), end: () => bar.stop() };
}

const LINE_EVERY_MS = 5_000;

function plainLines(doing: string, total: number): Progress {
  let done = 0;
  let last = performance.now();
  const say = (): void => {
    last = performance.now();
    process.stderr.write(`${doing}: ${done}/${total}\n`);
  };
  return {
    step: (count = 1) => {
      done += count;
      if (performance.now() - last >= LINE_EVERY_MS) say();
    },
    end: say,
  };
}
