import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { PreprocessSpec } from '../images/image-decoder.ts';
import type { Family } from './model-manifest.ts';

const pixels = z.int().positive();
const triple = z.tuple([z.number(), z.number(), z.number()]);
const sizeSchema = z.union([
  pixels,
  z.strictObject({ shortest_edge: pixels }),
  z.strictObject({ height: pixels, width: pixels }),
]);

/** `preprocessor_config.json`, as transformers writes it. */
export const preprocessorSchema = z.looseObject({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().nullish(),
  size: sizeSchema,
  resample: z.int().nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.union([pixels, z.strictObject({ height: pixels, width: pixels })]).nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().positive().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: triple.nullish(),
  image_std: triple.nullish(),
});

type Preprocessor = z.infer<typeof preprocessorSchema>;

const PROCESSORS: Record<string, Family> = {
  CLIPImageProcessor: 'clip',
  CLIPImageProcessorFast: 'clip',
  CLIPFeatureExtractor: 'clip',
  SiglipImageProcessor: 'siglip',
  SiglipImageProcessorFast: 'siglip',
};

/** Pillow's numbers for its resampling filters. */
const KERNELS: Partial<Record<number, PreprocessSpec['kernel']>> = {
  0: 'nearest',
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
};

/** What the processor classes assume where the file is silent. */
const DEFAULTS = {
  resample: 3,
  rescale: 1 / 255,
  clip: {
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  },
  siglip: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
} as const;

/**
 * The way from a decoded image to the model's pixels, read from `preprocessor_config.json`.
 * Throws AppError `model_invalid` for whatever Moderato would have to guess.
 */
export function toPreprocessSpec(config: Preprocessor, file: string): PreprocessSpec {
  const refuse = (what: string): never => {
    throw new AppError('model_invalid', `reading ${file}: ${what}`);
  };
  const type = config.image_processor_type ?? config.feature_extractor_type;
  const family = type === undefined ? undefined : PROCESSORS[type];
  if (family === undefined) {
    return refuse(
      `image_processor_type is ${type ?? 'not given'}; known are ${Object.keys(PROCESSORS).join(', ')}`,
    );
  }
  if (config.do_resize === false) {
    return refuse('do_resize is false; a model that takes images of any size is not supported');
  }
  const kernel = KERNELS[config.resample ?? DEFAULTS.resample];
  if (kernel === undefined) {
    return refuse(
      `resample is ${config.resample ?? 'null'}; known are 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic`,
    );
  }
  const normalize = config.do_normalize !== false;
  const std = normalize ? (config.image_std ?? DEFAULTS[family].std) : ([1, 1, 1] as const);
  if (std.some((value) => value === 0)) return refuse('image_std holds a zero');
  return {
    ...geometry(config, family, refuse),
    kernel,
    mean: normalize ? (config.image_mean ?? DEFAULTS[family].mean) : [0, 0, 0],
    std,
    rescale: config.do_rescale === false ? 1 : (config.rescale_factor ?? DEFAULTS.rescale),
  };
}

function geometry(
  config: Preprocessor,
  family: Family,
  refuse: (what: string) => never,
): Pick<PreprocessSpec, 'mode' | 'resizeTo' | 'width' | 'height'> {
  const crops = config.do_center_crop ?? family === 'clip';
  const crop = square(config.crop_size);
  if (typeof config.size === 'object' && 'height' in config.size) {
    const { width, height } = config.size;
    if (crops && crop && (crop.width !== width || crop.height !== height)) {
      return refuse('size has a height and a width, and crop_size cuts another size out of them');
    }
    return { mode: 'squash', resizeTo: Math.min(width, height), width, height };
  }
  const edge = typeof config.size === 'number' ? config.size : config.size.shortest_edge;
  if (family === 'siglip') {
    if (typeof config.size === 'number' && !crops) {
      return { mode: 'squash', resizeTo: edge, width: edge, height: edge };
    }
    return refuse('size is a shortest edge; SigLIP wants {"height", "width"}');
  }
  if (!crops) {
    return refuse('do_center_crop is false with a shortest edge: the images would differ in size');
  }
  const { width, height } = crop ?? { width: edge, height: edge };
  if (width > edge || height > edge) {
    return refuse(`crop_size ${width}×${height} is larger than the shortest edge ${edge}`);
  }
  return { mode: 'shortest-edge-crop', resizeTo: edge, width, height };
}

function square(size: Preprocessor['crop_size']): { width: number; height: number } | null {
  if (typeof size === 'number') return { width: size, height: size };
  return size ?? null;
}
