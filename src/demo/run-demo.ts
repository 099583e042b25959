import { basename, relative, resolve } from 'node:path';
import { styleText } from 'node:util';
import { ensureWritable } from '../cli/ensure-writable.ts';
import { findSamples } from '../cli/image-files.ts';
import { renderSummary, renderVerdictLine } from '../cli/render.ts';
import { reportEntry, writeReport } from '../cli/report.ts';
import { AppError, messageOf } from '../errors.ts';
import type { Verdict } from '../events/types.generated.ts';
import { createDecoderPool } from '../images/decoder-pool.ts';
import { readModelFolder } from '../model/model-folder.ts';
import { packageFile } from '../package-files.ts';
import { findBroker, type Broker } from './find-broker.ts';
import { judgeInMemory, judgeOverKafka, type DemoRun } from './judge-samples.ts';

export interface DemoOptions {
  /** `auto` goes on in memory where no Kafka can be had; `kafka` fails then. */
  broker: 'auto' | 'kafka' | 'memory';
  /** Path of the HTML page. */
  report: string;
  policies?: string;
}

/** The main job on sample photos, told to a newcomer. Throws what the service throws. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const policies = options.policies ?? packageFile('policies/demo.yaml');
  await ensureWritable(options.report);
  const files = await findSamples();
  say(
    `${styleText('bold', 'Moderato')}: ${files.length} photos, policies of ${shown(policies)}, the embedded starter model.`,
  );
  say('The starter model knows everyday objects only; use real CLIP weights for real decisions.\n');

  const broker = await brokerOf(options.broker);
  const nameWidth = Math.max(...files.map((file) => basename(file).length));
  const verdicts: Array<{ verdict: Verdict; file: string }> = [];
  const startedAt = performance.now();
  const run: DemoRun = {
    files,
    policies,
    say,
    onVerdict: (verdict, file) => {
      verdicts.push({ verdict, file });
      say(renderVerdictLine(verdict, basename(file), { nameWidth }));
    },
  };
  try {
    await (broker ? judgeOverKafka(run, broker) : judgeInMemory(run));
  } finally {
    await broker?.stop();
  }
  const elapsedMs = performance.now() - startedAt;
  say(`\n${renderSummary({ verdicts: verdicts.map(({ verdict }) => verdict), elapsedMs })}`);

  await reportOf(verdicts, options.report);
  say(`\nAll of it as a page: ${resolve(options.report)}`);
  say(`
What next:
  write a policy of your own   docs/policies.md, then: npx moderato scan <folder> -p my.yaml --report out.html
  use real CLIP weights        npx moderato models pull clip-vit-base-patch32
  run it on your own Kafka     npx moderato check -c moderato.yaml && npx moderato run -c moderato.yaml`);
}

async function reportOf(
  judged: ReadonlyArray<{ verdict: Verdict; file: string }>,
  path: string,
): Promise<void> {
  const { preprocess } = await readModelFolder(packageFile('models/starter'));
  const images = createDecoderPool({
    preprocess,
    processes: 1,
    timeoutMs: 10_000,
    memoryBytes: 2 * 1024 ** 3,
    maxPixels: 100_000_000,
    maxEdge: 65_535,
    maxFrames: 10_000,
  });
  try {
    const entries = judged.map(({ verdict, file }) =>
      reportEntry(images, { file, name: basename(file), verdict }),
    );
    await writeReport(path, 'Moderato demo', await Promise.all(entries));
  } finally {
    await images.close();
  }
}

async function brokerOf(kind: DemoOptions['broker']): Promise<Broker | undefined> {
  if (kind === 'memory') {
    say('Without a broker: the same pipeline on the in-memory adapters.\n');
    return undefined;
  }
  try {
    const broker = await findBroker({ onProgress: say });
    say(`Kafka at ${broker.bootstrap.join(', ')}.\n`);
    return broker;
  } catch (error) {
    if (kind === 'kafka' || !(error instanceof AppError)) throw error;
    say(messageOf(error));
    say('Going on without a broker: the same pipeline on the in-memory adapters.\n');
    return undefined;
  }
}

function shown(path: string): string {
  const short = relative('.', path);
  return short.startsWith('..') ? path : short;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
