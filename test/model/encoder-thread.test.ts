import { describe, expect, it, jest } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import type { WorkerStart } from '../../src/model/encoder-messages.ts';
import { startEncoderThread, type EncoderThread } from '../../src/model/encoder-thread.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { packageFile } from '../../src/package-files.ts';
import { modelFolder } from '../support/onnx-models.ts';

jest.setTimeout(30_000);

const dying = pathToFileURL(packageFile('test/support/dying-worker.js'));

async function start(death: 'throw' | 'exit' | 'at once' | 'hang'): Promise<EncoderThread> {
  const settings: WorkerStart = {
    model: await readModelFolder(await modelFolder()),
    runtime: { executionProvider: 'cpu', deviceId: 0, threads: 1 },
    graph: 'plain',
    preparedFolder: '',
    maxBatchSize: 1,
    textIdleMs: 0,
    goldenText: death,
  };
  return startEncoderThread(settings, { file: dying, timeoutMs: 500 });
}

describe('when the process exits', () => {
  it('in the midst of a batch, it does so with the code it gave', () => {
    const { status, signal, stderr } = spawnSync(
      process.execPath,
      [packageFile('test/support/exiting-encoder.ts')],
      { encoding: 'utf8' },
    );
    expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' });
  });
});

describe('when the thread dies', () => {
  it.each([
    ['throw', 'out of luck'],
    ['exit', 'ended with code 3'],
  ] as const)('by %s, every call that waits is rejected, and every later one', async (how, why) => {
    const thread = await start(how);
    const waiting = [
      thread.ask({ kind: 'texts', texts: ['a'] }),
      thread.ask({ kind: 'texts', texts: ['b'] }),
    ];
    for (const outcome of await Promise.allSettled(waiting)) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'encoder_failed', message: expect.stringContaining(why) as unknown },
      });
    }
    await expect(thread.ask({ kind: 'texts', texts: ['c'] })).rejects.toMatchObject({
      code: 'encoder_failed',
    });
    await thread.close();
  });

  it('by falling silent, it is not waited for, neither by calls nor by close', async () => {
    const thread = await start('hang');
    const error = {
      code: 'encoder_failed',
      message: expect.stringContaining('no answer') as unknown,
    };
    await expect(thread.ask({ kind: 'texts', texts: ['a'] })).rejects.toMatchObject(error);
    await expect(thread.ask({ kind: 'texts', texts: ['b'] })).rejects.toMatchObject(error);
    await thread.close();
  });

  it('before it is ready, starting it fails rather than hangs', async () => {
    await expect(start('at once')).rejects.toMatchObject({ code: 'encoder_failed' });
  });
});
