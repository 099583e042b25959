import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, Option } from 'commander';
import type { WireFormat } from '../events/message-encoder.ts';
import type { ImageSource } from '../events/types.generated.ts';
import { progressBar } from './progress.ts';

interface PublishOptions {
  config: string;
  topic?: string;
  format: WireFormat;
  reference?: true;
}

export function publishCommand(): Command {
  return new Command('publish')
    .description('publish images as image events to the input topic')
    .argument('<path...>', 'files, or folders of images')
    .option('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .option('-t, --topic <name>', 'another topic than the first lane of topics.input')
    .addOption(
      new Option('-f, --format <format>', 'how events are encoded')
        .choices(['json', 'avro', 'confluent'])
        .default('json'),
    )
    .option('--reference', 'publish file:// references instead of the bytes')
    .action(async (paths: string[], options: PublishOptions) => {
      const { findImages } = await import('./image-files.ts');
      const { connect } = await import('./connect.ts');
      const { publishImages } = await import('./publish-images.ts');
      const { firstInput } = await import('../topics.ts');
      const { loaded, kafka, registry } = await connect(options.config);
      const topic = options.topic ?? firstInput(loaded.config.topics);
      const files = await findImages(paths);
      const bar = progressBar(`publishing to ${topic}`, files.length);
      await publishImages({
        kafka,
        topic,
        format: options.format,
        registry,
        images: files.map((file) => ({
          eventId: basename(file),
          load: () => sourceOf(file, options.reference ?? false),
        })),
        onPublished: () => bar.step(),
      });
      bar.end();
    });
}

async function sourceOf(file: string, reference: boolean): Promise<ImageSource> {
  return reference
    ? { bytes: null, uri: pathToFileURL(file).href, sha256: null }
    : { bytes: await readFile(file), uri: null, sha256: null };
}
