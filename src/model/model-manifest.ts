import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');
/** Little-endian 32-bit floats. */
const floats = z.base64();

/** `moderato.json`: what a Hugging Face export does not say of itself. Documented in docs/models.md. */
export const manifestSchema = z.strictObject({
  name: z.string().min(1).optional(),
  score: z.enum(['softmax', 'sigmoid']).optional(),
  /** The trained value itself, not its logarithm: 100 for OpenAI's CLIP. */
  logit_scale: z.number().positive().optional(),
  logit_bias: z.number().optional(),
  cosine_floor: z.number().min(-1).max(1).optional(),
  neutral_prompts: z.array(z.string().min(1)).min(1).optional(),
  text: z
    .strictObject({
      max_length: z.int().positive().optional(),
      pad_to: z.enum(['longest', 'max_length']).optional(),
      pad_token_id: z.int().nonnegative().optional(),
      /** For a model trained on lower-cased text whose tokenizer does not see to it. */
      lowercase: z.boolean().optional(),
    })
    .optional(),
  /** Other graphs than the usual ones, for example the fp16 variants. */
  graphs: z.strictObject({ vision: z.string().optional(), text: z.string().optional() }).optional(),
  files: z.record(z.string(), z.strictObject({ bytes: z.int().positive(), sha256 })).optional(),
  golden: z
    .strictObject({
      /** The formula of the image, so that another one can follow. */
      image: z.literal('gradient-1'),
      text: z.string(),
      image_embedding: floats,
      text_embedding: floats,
      /** Cosine distance up to which an execution provider counts as equal. */
      tolerance: z.number().positive().max(0.1).optional(),
    })
    .optional(),
  source: z.strictObject({ repo: z.string(), revision: z.string() }).optional(),

  // For people; nothing reads these.
  kind: z.string().optional(),
  embedding_dim: z.int().positive().optional(),
  normalized: z.boolean().optional(),
  sigmoid: z.looseObject({}).optional(),
  calibration: z.string().optional(),
  image: z.looseObject({}).optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** The parts of `config.json` that Moderato needs; each is absent where it equals its class's default. */
export const modelConfigSchema = z.looseObject({
  model_type: z.string(),
  projection_dim: z.int().positive().optional(),
  logit_scale_init_value: z.number().optional(),
  text_config: z
    .looseObject({
      max_position_embeddings: z.int().positive().optional(),
      pad_token_id: z.int().nonnegative().nullish(),
    })
    .optional(),
  vision_config: z.looseObject({ image_size: z.int().positive().optional() }).optional(),
});

export type ModelConfig = z.infer<typeof modelConfigSchema>;

/** What kind of model a folder holds, by `model_type`. */
export type Family = 'clip' | 'siglip';
