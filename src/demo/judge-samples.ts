import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { randomUUID } from 'node:crypto';
import { createApp } from '../app.ts';
import { createLocalInspector, judgeFiles } from '../cli/local-run.ts';
import { publishImages } from '../cli/publish-images.ts';
import { tailVerdicts } from '../cli/tail-verdicts.ts';
import { configSchema } from '../config-schema.ts';
import type { Verdict } from '../events/types.generated.ts';
import { createKafka } from '../kafka/client.ts';
import { createTopics } from '../kafka/topics.ts';
import { createLogger } from '../logger.ts';
import { firstInput, topicsOf } from '../topics.ts';
import type { Broker } from './find-broker.ts';

export interface DemoRun {
  /** Absolute paths. */
  files: readonly string[];
  policies: string;
  say: (line: string) => void;
  onVerdict: (verdict: Verdict, file: string) => void;
}

/** Publishes the files to a topic, runs the service on it and reads its verdicts, all over the broker. */
export async function judgeOverKafka(run: DemoRun, broker: Broker): Promise<void> {
  const config = configSchema.parse({
    kafka: { brokers: broker.bootstrap, groupId: `moderato-demo-${randomUUID()}` },
    topics: demoTopics(),
    policies: run.policies,
    observability: { http: false, logLevel: 'warn' },
  });
  const input = firstInput(config.topics);
  const logger = createLogger({ level: 'warn', to: 'stderr' });
  const kafka = createKafka(config.kafka, {}, logger);
  await createTopics(
    kafka,
    topicsOf(config).map((topic) => ({ topic, partitions: 3 })),
  );
  const app = await createApp({ config, secrets: {} }, logger);
  const running = app.run();

  const files = new Map(run.files.map((file) => [basename(file), file]));
  const enough = new AbortController();
  const judged = new Set<string>();
  const ready = Promise.withResolvers<undefined>();
  const tailing = tailVerdicts({
    kafka,
    topics: [config.topics.verdicts],
    fromBeginning: true,
    signal: enough.signal,
    onReady: () => ready.resolve(undefined),
    onVerdict: (verdict) => {
      const file = files.get(verdict.eventId ?? '');
      if (file === undefined || judged.has(file)) return;
      judged.add(file);
      run.onVerdict(verdict, file);
      if (judged.size === files.size) enough.abort();
    },
    onUndecodable: (_, error) => {
      throw error;
    },
  });
  try {
    await Promise.race([ready.promise, running, tailing]);
    run.say(`Publishing to ${input}, reading verdicts from ${config.topics.verdicts}.\n`);
    await publishImages({
      kafka,
      topic: input,
      format: 'json',
      // Whole images, so that the demo needs no shared folder.
      images: run.files.map((file) => ({
        eventId: basename(file),
        load: async () => ({ bytes: await readFile(file), uri: null, sha256: null }),
      })),
    });
    await Promise.race([tailing, running]);
  } finally {
    enough.abort();
    await app.stop();
    await Promise.all([running, tailing]);
  }
}

/** New names each time: a broker that was given may hold an earlier demo's. */
function demoTopics(): { input: string; verdicts: string; deadLetters: string } {
  const prefix = `moderato-demo-${randomUUID().slice(0, 8)}`;
  return {
    input: `${prefix}.images`,
    verdicts: `${prefix}.verdicts`,
    deadLetters: `${prefix}.dead-letters`,
  };
}

/** The same pipeline without a broker. */
export async function judgeInMemory(run: DemoRun): Promise<void> {
  const inspector = await createLocalInspector({ policies: run.policies });
  try {
    await judgeFiles({
      files: run.files,
      inspector,
      onVerdict: (verdict, file) => {
        run.onVerdict(verdict, file);
        return Promise.resolve();
      },
    });
  } finally {
    await inspector.close();
  }
}
