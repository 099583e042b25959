import { readFileSync } from 'node:fs';
import type { PolicyResult } from '../../src/events/types.generated.ts';
import type {
  ClipEncoder,
  EncoderInfo,
  Scoring,
  UnitVector,
} from '../../src/model/clip-encoder.ts';
import type { Policy, PolicyBundle } from '../../src/policies/bundle.ts';
import { bundleHash } from '../../src/policies/canonical-form.ts';
import { aRegion } from './builders.ts';

export function buildPolicy(overrides: Partial<Policy> = {}): Policy {
  return {
    id: 'firearms',
    title: 'Firearms',
    mode: 'enforce',
    prompts: ['a gun'],
    contrast: [],
    thresholds: { review: 0.6, block: 0.9 },
    onError: 'review',
    cosineFloor: null,
    templates: ['{}'],
    neutral: null,
    corroboration: 1,
    ...overrides,
  };
}

export function buildBundle(...policies: Partial<Policy>[]): PolicyBundle {
  const built = policies.map(buildPolicy);
  return { version: 1, hash: bundleHash(1, built), policies: built };
}

export function buildResult(overrides: Partial<PolicyResult> = {}): PolicyResult {
  return {
    id: 'firearms',
    title: 'Firearms',
    mode: 'enforce',
    score: 0.1,
    band: 'allow',
    thresholds: { review: 0.6, block: 0.9 },
    prompt: 'a gun',
    cosine: 0.1,
    cosineFloor: null,
    belowFloor: false,
    contrast: null,
    margin: null,
    suppressedBy: null,
    region: aRegion(),
    ...overrides,
  };
}

export const clipScoring: Scoring = {
  kind: 'softmax',
  logitScale: 100,
  logitBias: 0,
  cosineFloor: null,
  neutralPrompts: null,
};

export const siglipScoring: Scoring = {
  ...clipScoring,
  kind: 'sigmoid',
  logitScale: 10,
  logitBias: -2,
};

/** A text encoder whose vectors are written down: a text it was not told of is an error. */
export class WrittenEncoder implements Pick<ClipEncoder, 'info' | 'encodeTexts'> {
  readonly info: EncoderInfo;
  readonly calls: string[][] = [];
  readonly #vectors: ReadonlyMap<string, UnitVector>;

  constructor(vectors: Record<string, readonly number[]>, scoring: Scoring = clipScoring) {
    this.#vectors = new Map(Object.entries(vectors).map(([text, vector]) => [text, unit(vector)]));
    const dimensions = Object.values(vectors)[0]?.length ?? 0;
    this.info = {
      id: 'written',
      hash: '0'.repeat(64),
      executionProvider: 'cpu',
      dimensions,
      preprocess: {
        mode: 'squash',
        resizeTo: 8,
        width: 8,
        height: 8,
        kernel: 'bicubic',
        mean: [0.5, 0.5, 0.5],
        std: [0.5, 0.5, 0.5],
        rescale: 1 / 255,
      },
      preprocessing: 'written-1',
      scoring,
    };
  }

  encodeTexts(texts: readonly string[]): Promise<UnitVector[]> {
    this.calls.push([...texts]);
    return Promise.resolve(
      texts.map((text) => {
        const vector = this.#vectors.get(text);
        if (!vector) throw new Error(`no vector was written for ${JSON.stringify(text)}`);
        return vector;
      }),
    );
  }
}

export function unit(values: readonly number[]): UnitVector {
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}

interface Golden {
  clip: {
    images: Record<string, { embedding: number[] }>;
    prompts: { text: string; embedding: number[] }[];
    softmaxFirst6Prompts: number[][];
    logitScale: number;
  };
  siglip: {
    images: Record<string, { embedding: number[] }>;
    textEmbeddings: number[][];
    sigmoid: number[][];
    logitScale: number;
    logitBias: number;
  };
}

/** Embeddings and scores computed by other code (test/fixtures/parity/make_fixtures.py). */
export function readGolden(): Golden {
  const file = new URL('../fixtures/parity/golden.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Golden;
}
