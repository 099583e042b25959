import { AppError } from '../errors.ts';
import type { Scoring } from './clip-encoder.ts';
import type { Family, Manifest, ModelConfig } from './model-manifest.ts';

/** ln(1/0.07): where CLIP's training begins, and what transformers writes whatever training made of it. */
const UNTRAINED_LOGIT_SCALE = 2.6592;

/**
 * How cosine similarities become probabilities. `moderato.json` decides; `config.json` is believed only
 * where its `logit_scale_init_value` was changed from the value that training begins with.
 * Throws AppError `model_invalid` when the folder does not tell, with the line to add.
 */
export function toScoring(
  family: Family,
  config: ModelConfig,
  manifest: Manifest,
  folder: string,
): Scoring {
  const kind = manifest.score ?? (family === 'clip' ? 'softmax' : 'sigmoid');
  return {
    kind,
    logitScale: manifest.logit_scale ?? configuredScale(family, config, folder),
    logitBias: manifest.logit_bias ?? (kind === 'softmax' ? 0 : missingBias(folder)),
    cosineFloor: manifest.cosine_floor ?? null,
    neutralPrompts: manifest.neutral_prompts ?? null,
  };
}

function configuredScale(family: Family, config: ModelConfig, folder: string): number {
  const logarithm = config.logit_scale_init_value;
  const tells = logarithm !== undefined && Math.abs(logarithm - UNTRAINED_LOGIT_SCALE) > 1e-4;
  if (family === 'clip' && tells) return Math.exp(logarithm);
  throw new AppError(
    'model_invalid',
    `reading ${folder}: nothing says which logit scale the model was trained to. config.json only has the ` +
      'value that training began with. Add moderato.json to the folder: ' +
      (family === 'clip'
        ? '{"logit_scale": 100} is right for OpenAI\'s CLIP models; for others it is exp(logit_scale) of the checkpoint.'
        : '{"logit_scale": …, "logit_bias": …}, which are exp(logit_scale) and logit_bias of the checkpoint.'),
  );
}

function missingBias(folder: string): never {
  throw new AppError(
    'model_invalid',
    `reading ${folder}: a sigmoid needs the logit bias the model was trained to. Add "logit_bias" to ` +
      "moderato.json; it is the checkpoint's logit_bias.",
  );
}
