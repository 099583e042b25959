/** Cache, decoder processes, batches, inference and scores; no records, no verdicts. */
import { createHash } from 'node:crypto';
import type { InspectedImage } from '../../src/cache/embedding-cache.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createInspector } from '../../src/inspector.ts';
import { noTelemetry } from '../../src/observability/telemetry.ts';
import { decide } from '../../src/policies/decide.ts';
import { scoreViews } from '../../src/policies/score-views.ts';
import { onEachPhoto, report, settings } from './child.ts';

const { config } = await loadConfig(settings.configFile);
const inspector = await createInspector(config, { clock: systemClock, telemetry: noTelemetry });
const { cache, images, batcher, bundle, encoder } = inspector;

await report(await onEachPhoto(config.pipeline.maxInFlight, inspect));
await inspector.close();
process.disconnect();

async function inspect(photo: Buffer): Promise<void> {
  const sha256 = createHash('sha256').update(photo).digest('hex');
  const known = await cache.find(sha256);
  const { views } = known?.image ?? (await look(photo, sha256));
  decide(scoreViews(views, bundle, encoder.scoring));
}

async function look(photo: Buffer, sha256: string): Promise<InspectedImage> {
  const { views, ...facts } = await images.decode(photo);
  const embedded = await Promise.all(
    views.map(async ({ region, pixels }) => ({
      region,
      ...(await batcher.submit(pixels)).value,
    })),
  );
  const image = { ...facts, views: embedded };
  await cache.keep(sha256, image);
  return image;
}
