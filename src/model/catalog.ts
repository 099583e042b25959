import type { Manifest } from './model-manifest.ts';

/** A model that `moderato models pull` knows how to fetch. */
export interface CatalogEntry {
  name: string;
  title: string;
  repo: string;
  /** A commit, or a branch that is resolved to a commit on first use and kept in the lock file. */
  revision: string;
  /** Licence of the weights, as their publisher states it. */
  licence: string;
  files: readonly { name: string; sha256?: string }[];
  /** What goes into the folder's `moderato.json`, besides the file hashes. */
  manifest: Pick<Manifest, 'score' | 'logit_scale' | 'logit_bias' | 'text'>;
}

/**
 * OpenAI's CLIP was trained with its logit scale clipped at 100 (Radford et al. 2021, section 2.5), and the
 * published models sit at that bound.
 */
const CLIP_SCORING = { score: 'softmax', logit_scale: 100, logit_bias: 0 } as const;

/**
 * Commits and SHA-256 are those that public projects publish for these files: several that agree, but for the
 * commit of ViT-L/14 and the text graph of SigLIP 2, which have one source each. What is not given is taken
 * from the hub on first use. None was checked against a download when this list was written.
 */
export const CATALOG: readonly CatalogEntry[] = [
  {
    name: 'clip-vit-base-patch32',
    title: 'OpenAI CLIP ViT-B/32, 224 px, 512 dimensions, 0.6 GB',
    repo: 'Xenova/clip-vit-base-patch32',
    revision: 'd15189d7028b43f1d3e65039190477f6af591c2a',
    licence: 'MIT',
    files: modelFiles({
      vision: 'fd6e1402a588279d1723c7534d4bcba5bc0b14b47dfab0e46f8c47b8270d7d40',
      text: '3f6571f5bad13a97c469c1622e1cfc4d9aef78b79fdbfcff804ca357bfada8cc',
      tokenizer: 'f7f3b7af117d467b58374797691a6438d3e6b9e9cef800dfd5dced7f697a90cd',
    }),
    manifest: CLIP_SCORING,
  },
  {
    name: 'clip-vit-base-patch16',
    title: 'OpenAI CLIP ViT-B/16, 224 px, 512 dimensions, 0.6 GB',
    repo: 'Xenova/clip-vit-base-patch16',
    revision: 'main',
    licence: 'MIT',
    files: modelFiles({}),
    manifest: CLIP_SCORING,
  },
  {
    name: 'clip-vit-large-patch14',
    title: 'OpenAI CLIP ViT-L/14, 224 px, 768 dimensions, 1.7 GB',
    repo: 'Xenova/clip-vit-large-patch14',
    revision: 'c307790166907339eed5a9a53a249af534102536',
    licence: 'MIT',
    files: modelFiles({}),
    manifest: CLIP_SCORING,
  },
  {
    name: 'siglip2-base-patch16-224',
    title: 'Google SigLIP 2 B/16, 224 px, 768 dimensions, multilingual, 1.5 GB',
    repo: 'onnx-community/siglip2-base-patch16-224-ONNX',
    revision: 'ba1f3b0843f24bc5417d38e19c37b287d719b2f4',
    licence: 'Apache-2.0',
    files: modelFiles({
      vision: 'c0573e3f4140c3a7c4e9cc5912bd6b26a033b46a6a8e8af26cbea262b163bcad',
      text: 'baf12d941beabafafb14f7b4adb38dc15be18681b964a84410ec53d9d65e6293',
      tokenizer: 'cb9140fae3ac5122c972d37adf83e1248471a38147ad76f8215c8872c6fd8322',
    }),
    manifest: {
      score: 'sigmoid',
      // The parameters of google/siglip2-base-patch16-224, logit_scale 4.724453449249268 as its exponential.
      logit_scale: Math.exp(4.724453449249268),
      logit_bias: -16.771724700927734,
      // Its model card: trained on lower-cased text, padded to 64.
      text: { max_length: 64, pad_to: 'max_length', lowercase: true },
    },
  },
];

function modelFiles(known: {
  vision?: string;
  text?: string;
  tokenizer?: string;
}): CatalogEntry['files'] {
  const file = (name: string, sha256?: string): CatalogEntry['files'][number] => ({
    name,
    ...(sha256 !== undefined && { sha256 }),
  });
  return [
    file('config.json'),
    file('preprocessor_config.json'),
    file('tokenizer_config.json'),
    file('tokenizer.json', known.tokenizer),
    file('onnx/text_model.onnx', known.text),
    file('onnx/vision_model.onnx', known.vision),
  ];
}
