import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import type { Outcome } from '../src/events/types.generated.ts';
import { createInspector } from '../src/inspector.ts';
import { noTelemetry } from '../src/observability/telemetry.ts';
import { decide } from '../src/policies/decide.ts';
import { scoreViews } from '../src/policies/score-views.ts';

export interface Picture {
  /** In the store. */
  file: string;
  bytes: Buffer;
  /** What the service must say of it. */
  outcome: Outcome;
}

const CANDIDATES = 64;
const WANTED = 16;
const CELLS = 4;
const EDGE = 32;
/** Scores differ by about 1e-6 between batches of different sizes: no picture may come near a threshold. */
const CLEARANCE = 0.02;

/**
 * Small pictures of coloured squares whose verdicts are beyond doubt, as the service's own parts judge them.
 * As far as the model lets them, they differ in their outcomes, so that a verdict of another picture is noticed.
 */
export async function preparePictures(configFile: string, folder: string): Promise<Picture[]> {
  await mkdir(folder, { recursive: true });
  const { config } = await loadConfig(configFile);
  const inspector = await createInspector(config, { clock: systemClock, telemetry: noTelemetry });
  const random = xoroshiro128plus(1);
  const byOutcome = new Map<Outcome, Picture[]>();
  try {
    for (let index = 0; index < CANDIDATES; index += 1) {
      const cells = Buffer.from(
        Array.from({ length: CELLS * CELLS * 3 }, () => uniformInt(random, 0, 255)),
      );
      const bytes = await sharp(cells, { raw: { width: CELLS, height: CELLS, channels: 3 } })
        .resize(EDGE, EDGE, { kernel: 'nearest' })
        .png()
        .toBuffer();
      const { views } = await inspector.images.decode(bytes);
      const embedded = await Promise.all(
        views.map(async ({ region, pixels }) => ({
          region,
          ...(await inspector.batcher.submit(pixels)).value,
        })),
      );
      const results = scoreViews(embedded, inspector.bundle, inspector.encoder.scoring);
      const isClear = results.every(({ score, thresholds: { review, block } }) =>
        [review, block].every((at) => at === null || Math.abs(score - at) > CLEARANCE),
      );
      if (!isClear) continue;
      const file = join(folder, `${index}.png`);
      await writeFile(file, bytes);
      const outcome = decide(results);
      byOutcome.set(outcome, [...(byOutcome.get(outcome) ?? []), { file, bytes, outcome }]);
    }
  } finally {
    await inspector.close();
  }
  return inTurn([...byOutcome.values()]).slice(0, WANTED);
}

/** One of each list in turn. */
function inTurn<T>(lists: readonly T[][]): T[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => at).flatMap((at) =>
    lists.flatMap((list) => list.slice(at, at + 1)),
  );
}
