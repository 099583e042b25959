import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { readJsonFile } from './model-files.ts';
import type { TextSpec } from './model-folder.ts';

/** Token ids of several texts, row by row: `[count, length]`. */
export interface TokenBatch {
  ids: BigInt64Array;
  /** 1 for a token of the text, 0 for padding. */
  mask: BigInt64Array;
  count: number;
  length: number;
}

export interface TextTokenizer {
  /** The ids of one text, special tokens included, cut to the model's limit and not padded. */
  tokenize(text: string): number[];
  batch(texts: readonly string[]): TokenBatch;
}

/** What is used of the library, whose own declarations do not resolve from an ES module. */
interface Tokenizer {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  token_to_id(token: string): number | undefined;
}
const Tokenizer = HuggingFaceTokenizer as unknown as new (
  tokenizer: object,
  config: object,
) => Tokenizer;

const tokenizerSchema = z.looseObject({
  padding: z
    .looseObject({
      pad_id: z.int().nonnegative().optional(),
      direction: z.enum(['Left', 'Right']).optional(),
    })
    .nullish(),
});
const tokenizerConfigSchema = z.looseObject({
  pad_token: z.union([z.string(), z.looseObject({ content: z.string() })]).nullish(),
  padding_side: z.enum(['left', 'right']).nullish(),
});

/** Throws AppError `model_not_found` or `model_invalid`. */
export async function loadTokenizer(folder: string, spec: TextSpec): Promise<TextTokenizer> {
  const file = join(folder, 'tokenizer.json');
  const json = await readJsonFile(folder, 'tokenizer.json', tokenizerSchema);
  if (json === null) throw new AppError('model_not_found', `reading ${file}: no such file`);
  const config = (await readJsonFile(folder, 'tokenizer_config.json', tokenizerConfigSchema)) ?? {};
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(json, config);
  } catch (cause) {
    throw new AppError('model_invalid', `reading ${file}: not a tokenizer that can be used`, {
      cause,
    });
  }
  const padToken =
    typeof config.pad_token === 'object' ? config.pad_token?.content : config.pad_token;
  const padId =
    spec.padId ??
    (padToken ? tokenizer.token_to_id(padToken) : undefined) ??
    json.padding?.pad_id ??
    spec.fallbackPadId;
  if (padId === null) {
    throw new AppError(
      'model_invalid',
      `reading ${file}: nothing says which token pads a text; add {"text": {"pad_token_id": …}} to moderato.json`,
    );
  }
  const padLeft = (config.padding_side ?? json.padding?.direction?.toLowerCase()) === 'left';
  return createTokenizer(tokenizer, spec, padId, padLeft);
}

function createTokenizer(
  tokenizer: Tokenizer,
  spec: TextSpec,
  padId: number,
  padLeft: boolean,
): TextTokenizer {
  const specials = specialTokens(tokenizer);
  const room = spec.maxLength - specials.before.length - specials.after.length;

  const tokenize = (text: string): number[] => {
    const cased = spec.lowercase ? text.toLowerCase() : text;
    const bare = tokenizer.encode(cased, { add_special_tokens: false }).ids;
    // Cut before the special tokens are added: the end token, which CLIP pools on, is always there.
    return [...specials.before, ...bare.slice(0, room), ...specials.after];
  };

  const batch = (texts: readonly string[]): TokenBatch => {
    const rows = texts.map(tokenize);
    const length =
      spec.padTo === 'max' ? spec.maxLength : Math.max(1, ...rows.map((row) => row.length));
    const ids = new BigInt64Array(rows.length * length).fill(BigInt(padId));
    const mask = new BigInt64Array(rows.length * length);
    rows.forEach((row, index) => {
      const start = index * length + (padLeft ? length - row.length : 0);
      row.forEach((id, at) => {
        ids[start + at] = BigInt(id);
        mask[start + at] = 1n;
      });
    });
    return { ids, mask, count: rows.length, length };
  };

  return { tokenize, batch };
}

/** What the tokenizer puts around every text, found by comparing a text with and without it. */
function specialTokens(tokenizer: Tokenizer): { before: number[]; after: number[] } {
  const bare = tokenizer.encode('a', { add_special_tokens: false }).ids;
  const full = tokenizer.encode('a', { add_special_tokens: true }).ids;
  const start = full.findIndex((_, at) => bare.every((id, offset) => full[at + offset] === id));
  if (start < 0) {
    throw new AppError(
      'model_invalid',
      'reading tokenizer.json: its post-processor changes the tokens of a text, so a long text cannot be cut',
    );
  }
  return { before: full.slice(0, start), after: full.slice(start + bare.length) };
}
