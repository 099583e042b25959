import type { ModelFolder } from './model-folder.ts';
import type { Tower } from './ort-session.ts';
import { loadTokenizer, type TextTokenizer, type TokenBatch } from './tokenizer.ts';

export interface TextEncoder {
  /** One unit vector after the other. */
  encode(texts: readonly string[]): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Texts that go through the tower together: bounds its memory. */
const TEXTS_AT_ONCE = 32;

/**
 * The text tower and its tokenizer, loaded when a text comes and let go `idleMs` after the last one:
 * a service embeds its prompts once and then holds an image tower only.
 */
export function createTextEncoder(options: {
  model: ModelFolder;
  idleMs: number;
  openTower: () => Promise<Tower<TokenBatch>>;
}): TextEncoder {
  const { model, idleMs, openTower } = options;
  let loaded: { tower: Tower<TokenBatch>; tokenizer: TextTokenizer } | null = null;
  let timer: NodeJS.Timeout | undefined;
  let running = 0;

  const release = async (): Promise<void> => {
    clearTimeout(timer);
    const { tower } = loaded ?? {};
    loaded = null;
    await tower?.release();
  };

  const encode = async (texts: readonly string[]): Promise<Float32Array> => {
    clearTimeout(timer);
    running++;
    try {
      loaded ??= {
        tokenizer: await loadTokenizer(model.path, model.text),
        tower: await openTower(),
      };
      const parts: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += TEXTS_AT_ONCE) {
        const batch = loaded.tokenizer.batch(texts.slice(at, at + TEXTS_AT_ONCE));
        parts.push((await loaded.tower.run(batch)).slice());
      }
      return concatenate(parts);
    } finally {
      running--;
      if (running === 0) timer = setTimeout(() => void release(), idleMs).unref();
    }
  };

  return { encode, release };
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
