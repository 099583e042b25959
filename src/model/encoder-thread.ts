import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError, messageOf } from '../errors.ts';
import type { Failure, Reply, Request, WorkerData, WorkerStart } from './encoder-messages.ts';
import type { Golden } from './golden.ts';
import type { Encoded } from './ort-session.ts';

type Question = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

/** The worker seen from outside: questions in, embeddings out, in order. */
export interface EncoderThread {
  /** What this thread makes of the golden image and text. */
  readonly golden: Golden;
  /** Questions that are not answered yet. */
  readonly pending: number;
  /** Throws AppError `inference_failed`, or `encoder_failed` once the thread is gone. */
  ask(question: Question): Promise<Encoded>;
  /** Answers what was asked before, then ends the thread. */
  close(): Promise<void>;
}

interface Pending {
  resolve: (encoded: Encoded) => void;
  reject: (error: AppError) => void;
}

/** The worker lies beside this file, as .ts in a clone and as .js in the package. */
const WORKER = new URL(`./encoder-worker${extname(import.meta.filename)}`, import.meta.url);

/** How long the end of the process waits for a batch, or for the model to be loaded. */
const EXIT_PATIENCE_MS = 3_000;

/** A timer this late says that the process stood still, and the thread with it: it is given its time again. */
const LATE_MS = 1_000;

export interface ThreadOptions {
  /** How long one answer may take, in ms, before the thread is given up as hung. @default 120000 */
  timeoutMs?: number | undefined;
  /** The program of the thread, for tests. @default encoder-worker beside this file */
  file?: URL;
}

/** Resolves when the model is loaded. Throws AppError: what the worker threw, or `encoder_failed`. */
export async function startEncoderThread(
  start: WorkerStart,
  { timeoutMs = 120_000, file = WORKER }: ThreadOptions = {},
): Promise<EncoderThread> {
  // onnxruntime reports its use to Microsoft unless told not to; it reads the process's environment, not the
  // worker's copy. A machine that looks at users' images tells nobody.
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  const busy = new Int32Array(new SharedArrayBuffer(4)).fill(1);
  const workerData: WorkerData = { ...start, busy: busy.buffer };
  const worker = new Worker(file, { workerData });
  const pending = new Map<number, Pending>();
  let nextId = 0;
  let gone: AppError | null = null;
  let closing: Promise<void> | undefined;
  let hung = false;
  let watchdog: NodeJS.Timeout | undefined;

  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  // A thread that is stopped in the midst of the runtime's native code takes the process with it: SIGABRT,
  // whatever code it was to exit with.
  const letFinish = (): void => {
    if (Atomics.wait(busy, 0, 1, EXIT_PATIENCE_MS) !== 'timed-out' || !hung) return;
    // Node would wait for it for ever. Whoever restarts us need not.
    process.kill(process.pid, 'SIGKILL');
  };
  process.setMaxListeners(process.getMaxListeners() + 1); // there may be a worker for each core
  process.once('exit', letFinish);
  void ended.then(() => {
    process.off('exit', letFinish);
    process.setMaxListeners(process.getMaxListeners() - 1);
  });
  const fail = (error: AppError): void => {
    gone ??= error;
    for (const { reject } of pending.values()) reject(gone);
    pending.clear();
    watch();
  };
  /** The thread answers in order: as long as anything is asked, something has to come. */
  const watch = (): void => {
    clearTimeout(watchdog);
    if (pending.size === 0) return;
    const due = performance.now() + timeoutMs;
    watchdog = setTimeout(() => {
      if (performance.now() - due > LATE_MS) {
        watch();
        return;
      }
      hung = true;
      worker.unref();
      fail(failure(`no answer for ${timeoutMs / 1000} s: the device or its driver hangs`));
    }, timeoutMs);
  };

  const ready = new Promise<Golden>((resolve, reject) => {
    worker.on('message', (reply: Reply) => {
      if (reply.kind === 'ready') resolve(reply.golden);
      else if (reply.kind === 'failed') reject(toError(reply.error));
      else settle(reply);
    });
    const lose = (error: AppError): void => {
      fail(error);
      reject(error);
    };
    worker.once('error', (cause: unknown) => {
      lose(failure(`the encoder's thread died: ${messageOf(cause)}`, cause));
    });
    worker.once('exit', (code) => {
      lose(failure(closing ? CLOSED : `the encoder's thread ended with code ${code}`));
    });
  });

  const settle = (reply: Extract<Reply, { id: number }>): void => {
    const call = pending.get(reply.id);
    pending.delete(reply.id);
    watch();
    // An idle encoder does not keep a process alive that has nothing else to do.
    if (pending.size === 0) worker.unref();
    if (reply.kind === 'encoded') call?.resolve(reply);
    else call?.reject(toError(reply.error));
  };

  const golden = await ready.catch(async (error: unknown) => {
    await ended;
    throw error;
  });
  worker.unref();

  return {
    golden,
    get pending() {
      return pending.size;
    },
    ask: (question) =>
      new Promise((resolve, reject) => {
        const lost = gone ?? (closing && failure(CLOSED));
        if (lost) {
          reject(lost);
          return;
        }
        const id = nextId++;
        pending.set(id, { resolve, reject });
        worker.ref();
        if (pending.size === 1) watch();
        worker.postMessage({ ...question, id });
      }),
    close: () => {
      closing ??= (async () => {
        if (hung) return;
        worker.ref();
        worker.postMessage({ kind: 'close', id: nextId++ });
        await ended;
      })();
      return closing;
    },
  };
}

const CLOSED = 'the encoder was closed';

function failure(what: string, cause?: unknown): AppError {
  return new AppError('encoder_failed', `encoding: ${what}`, { cause });
}

function toError({ code, message }: Failure): AppError {
  return new AppError(code, message);
}
