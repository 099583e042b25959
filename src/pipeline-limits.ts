import type { Config } from './config-schema.ts';
import type { PipelineLimits } from './pipeline.ts';

/** What the configuration allows the pipeline. */
export function limitsOf({
  pipeline,
  images,
  topics,
}: Pick<Config, 'pipeline' | 'images'> & { topics?: Config['topics'] }): PipelineLimits {
  return {
    ...pipeline,
    maxImageBytes: images.maxBytes,
    fetchConcurrency: images.fetchConcurrency,
    emitEmbeddings: topics?.embeddings !== undefined,
  };
}
