/** Judges pictures as the service does, from bytes to outcome. */
import { configSections } from '../src/config-schema.ts';
import { systemClock } from '../src/clock.ts';
import { AppError } from '../src/errors.ts';
import type { Outcome, PolicyResult } from '../src/events/types.generated.ts';
import { inspectImage } from '../src/inspect-image.ts';
import { createInspector } from '../src/inspector.ts';
import { noTelemetry } from '../src/observability/telemetry.ts';
import { packageFile } from '../src/package-files.ts';
import { decide } from '../src/policies/decide.ts';
import { scoreViews, type EmbeddedView } from '../src/policies/score-views.ts';
import type { EvasionOptions } from './options.ts';

export interface Judged {
  outcome: Outcome;
  /** The code of the error where it was not inspected. */
  code: string | null;
  policies: PolicyResult[];
  views: readonly EmbeddedView[];
}

export interface Judge extends AsyncDisposable {
  judge(bytes: Buffer): Promise<Judged>;
}

export async function createJudge(looks: EvasionOptions['views']): Promise<Judge> {
  const config = configSections
    .pick({ model: true, batching: true, images: true, dedupe: true, pipeline: true })
    .parse({ images: { views: looks } });
  const inspector = await createInspector(
    { ...config, policies: packageFile('policies/demo.yaml') },
    { clock: systemClock, telemetry: noTelemetry },
  );
  return {
    judge: async (bytes) => {
      try {
        const { views } = await inspectImage(inspector, bytes);
        const policies = scoreViews(views, inspector.bundle, inspector.encoder.scoring);
        return { outcome: decide(policies), code: null, policies, views };
      } catch (error) {
        if (!(error instanceof AppError) || !error.code.startsWith('image_')) throw error;
        return { outcome: 'not_inspected', code: error.code, policies: [], views: [] };
      }
    },
    [Symbol.asyncDispose]: () => inspector.close(),
  };
}
