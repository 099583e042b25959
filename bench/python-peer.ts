import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readModelFolder } from '../src/model/model-folder.ts';
import { cacheFolder } from '../src/model/store.ts';
import { createWorkerClipEncoder } from '../src/model/worker-clip-encoder.ts';
import { packageFile } from '../src/package-files.ts';
import { loadBundle } from '../src/policies/load-bundle.ts';
import { embedBundle } from '../src/policies/prompt-embeddings.ts';
import { lazy } from './lazy.ts';
import type { Backlog, Stage } from './stage.ts';
import { runStream } from './stream-trial.ts';
import type { Measurement } from './trial.ts';

const PEER = fileURLToPath(new URL('./peers/python/', import.meta.url));
const MODEL = packageFile('models/starter');

const run = promisify(execFile);

/**
 * The interpreter of an environment with the peer's packages, made outside the repository when first needed.
 * Throws where there is no python3 that can make one, or its packages cannot be had.
 */
export async function installPythonPeer(say: (line: string) => void): Promise<string> {
  const requirements = join(PEER, 'requirements.txt');
  const { stdout } = await run('python3', [
    '-c',
    'import ensurepip, sys, venv; print(sys.version)',
  ]);
  const key = createHash('sha256')
    .update(await readFile(requirements))
    .update(stdout);
  const folder = join(cacheFolder(), `bench-python-${key.digest('hex').slice(0, 12)}`);
  const complete = join(folder, 'complete');
  const program = join(folder, 'bin/python');
  if (existsSync(complete)) return program;
  say('installing the packages of the Python consumer (pip, once) …');
  await mkdir(dirname(folder), { recursive: true });
  await run('python3', ['-m', 'venv', '--clear', folder]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  await run(program, [...pip, '--only-binary', ':all:', '-r', requirements]);
  await writeFile(complete, '');
  return program;
}

/** The peer on the same topic, with the same graph and the same embeddings of the prompts. */
export async function runPython(
  program: string,
  stage: Stage,
  backlog: Backlog,
  warmUp: number,
): Promise<Measurement> {
  const prompts = join(stage.folder, 'prompts.json');
  await writeFile(prompts, await embeddedPrompts());
  return await runStream({
    stage,
    backlog,
    role: 'python',
    warmUp,
    command: (output) => {
      const settings = {
        brokers: stage.brokers,
        groupId: `python-${randomUUID()}`,
        input: backlog.topic,
        output,
        model: MODEL,
        prompts,
      };
      return Promise.resolve({
        program,
        args: [join(PEER, 'consumer.py'), JSON.stringify(settings)],
      });
    },
  });
}

/** The bundle of the demo as the peer reads it: every row of the matrix a prompt, each policy naming its own. */
const embeddedPrompts = lazy(async () => {
  const model = await readModelFolder(MODEL);
  const encoder = await createWorkerClipEncoder({ model, maxBatchSize: 1 });
  try {
    const bundle = await embedBundle(await loadBundle(packageFile('policies/demo.yaml')), encoder);
    const { matrix, dimensions, neutrals } = bundle;
    return JSON.stringify({
      dimensions,
      matrix: Buffer.from(matrix.buffer, matrix.byteOffset, matrix.byteLength).toString('base64'),
      logitScale: model.scoring.logitScale,
      policies: bundle.policies.map(({ policy, prompts, contrast, neutral }) => ({
        id: policy.id,
        mode: policy.mode,
        ...policy.thresholds,
        texts: prompts.texts,
        prompts: [...prompts.rows],
        rivals: [...contrast.rows, ...(neutrals[neutral]?.rows ?? [])],
      })),
    });
  } finally {
    await encoder.close();
  }
});
