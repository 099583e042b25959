import { createHmac } from 'node:crypto';
import { AppError, type ErrorCode } from '../errors.ts';
import { FairQueue } from '../fair-queue.ts';
import { startDecoderChild, type DecoderChild } from './decoder-child.ts';
import type {
  DecoderJob,
  DecoderRequest,
  DecoderResults,
  DecoderSettings,
} from './decoder-messages.ts';
import { createReplyReader } from './decoder-reply.ts';
import { DEFAULT_VIEWS, type ImageDecoder, type ViewSettings } from './image-decoder.ts';
import type { ImageFingerprint } from './image-fingerprint.ts';
import { watchJob, type JobLimits } from './job-limits.ts';
import { residentBytes } from './process-memory.ts';
import { IMAGE_FORMATS, type ImageFormat } from './sniff-format.ts';

/** The limits are those of one image; waiting for a process is not counted. */
export interface DecoderPoolOptions extends Omit<DecoderSettings, 'formats' | 'views'>, JobLimits {
  /** Decoder processes, each using one core. */
  processes: number;
  /** @default all that can be */
  formats?: readonly ImageFormat[];
  /** @default DEFAULT_VIEWS */
  views?: ViewSettings;
  /** A secret that the frames of animations are drawn by. @default none: they can be foreseen */
  frameKey?: string | undefined;
  /** The program of the processes, for tests. @default decoder-process beside this file */
  script?: URL;
}

/**
 * Processes started in place of one that
 * - `crash`: ended by itself, or was killed from outside;
 * - `timeout`, `memory`: was killed because its image took too much of it;
 * - `recycled`: was ended between two images, because it did not give back the memory that earlier ones took.
 */
export interface Restarts {
  crash: number;
  timeout: number;
  memory: number;
  recycled: number;
}

export interface DecoderPool extends ImageDecoder {
  readonly restarts: Readonly<Restarts>;
  readonly pids: readonly number[];
  /** Resolves when every process is up; throws `decoder_unavailable` when none can be started. */
  ready(): Promise<void>;
  /**
   * A WebP of at most `maxEdge` × `maxEdge` pixels, upright and over white. Throws what `decode` throws.
   */
  thumbnail(bytes: Buffer, maxEdge: number): Promise<Buffer>;
  /** The PDQ hash of the image as it is shown. Throws what `decode` throws. */
  fingerprint(bytes: Buffer): Promise<ImageFingerprint>;
}

/** An image is to blame when it has taken this many processes with it: one may have been killed from outside. */
const CRASHES_TO_BLAME = 2;
/** So many processes in a row that ended before they were ready, and the pool gives up. */
const MAX_FAILED_STARTS = 3;
/** What a flow is charged for an image until the time that it takes is known, in ms. */
const CHARGED_MS = 1;
/** An idle process that takes more than this part of its memory is replaced. */
const IDLE_PART = 1 / 2;

interface Job extends DecoderJob {
  flow: string;
  /** Monotonic ms; 0 before a process has it. */
  startedAt: number;
  crashes: number;
  resolve: (result: DecoderResults[keyof DecoderResults]) => void;
  reject: (error: AppError) => void;
}

interface Slot {
  child: DecoderChild;
  state: 'starting' | 'ready' | 'stopped';
  /** What its end is to be put down to. */
  cause: keyof Restarts;
  job: Job | null;
  unwatch: () => void;
}

/**
 * Decodes in processes of their own, one image in each at a time; flows take turns by the time that theirs take. The processes
 * start at once and do not keep Node alive while they are idle. A crash, a hang or too much memory costs the image
 * that caused it and nothing else: the process is replaced.
 */
export function createDecoderPool(options: DecoderPoolOptions): DecoderPool {
  const { processes, timeoutMs, memoryBytes, script } = options;
  const { preprocess, maxPixels, maxEdge, maxFrames } = options;
  const { formats = IMAGE_FORMATS, views = DEFAULT_VIEWS } = options;
  const settings = { preprocess, formats, maxPixels, maxEdge, maxFrames, views };
  const replies = createReplyReader(settings);
  const slots = new Set<Slot>();
  const queue = new FairQueue<Job>();
  const started = Promise.withResolvers<undefined>();
  const ended = Promise.withResolvers<undefined>();
  const restarts: Restarts = { crash: 0, timeout: 0, memory: 0, recycled: 0 };
  let failedStarts = 0;
  let jobs = 0;
  let over: AppError | null = null;

  function start(): void {
    const slot: Slot = {
      state: 'starting',
      cause: 'crash',
      job: null,
      unwatch: () => undefined,
      child: startDecoderChild({
        settings,
        maxReplyBytes: replies.maxBytes,
        ...(script && { script }),
        onReply: (said) => onReply(slot, said),
        onExit: (how) => onExit(slot, how),
      }),
    };
    slots.add(slot);
  }

  function onReply(slot: Slot, said: unknown): void {
    // Killed, and this was on its way.
    if (slot.state === 'stopped') return;
    const reply = replies.read(said, slot.state === 'starting' ? 'ready' : slot.job);
    if (reply.kind === 'malformed') {
      slot.child.kill(`a malformed reply: ${reply.why}`);
      return;
    }
    if (reply.kind === 'ready') {
      slot.state = 'ready';
      failedStarts = 0;
      if ([...slots].every(({ state }) => state === 'ready')) started.resolve(undefined);
    } else {
      const job = release(slot);
      if (reply.kind === 'done') job?.resolve(reply.result);
      else job?.reject(new AppError(reply.code, reply.message));
      const bytes = residentBytes(slot.child.pid);
      if (bytes !== null && bytes > memoryBytes * IDLE_PART) stop(slot, 'recycled');
    }
    assign();
  }

  /** It is replaced once it is gone. */
  function stop(slot: Slot, cause: keyof Restarts): void {
    slot.state = 'stopped';
    slot.cause = cause;
    slot.child.kill();
  }

  function onExit(slot: Slot, how: string): void {
    slots.delete(slot);
    const job = release(slot);
    if (over === null) {
      if (job !== null) blame(job, how);
      if (slot.state === 'starting') failedStarts += 1;
      if (failedStarts >= MAX_FAILED_STARTS) {
        const why = `starting a decoder process: it ended before it was ready (${how}); is sharp installed for this platform?`;
        end(new AppError('decoder_unavailable', why));
      } else {
        restarts[slot.cause] += 1;
        start();
        assign();
      }
    }
    if (over !== null && slots.size === 0) ended.resolve(undefined);
  }

  function blame(job: Job, how: string): void {
    job.crashes += 1;
    if (job.crashes < CRASHES_TO_BLAME) queue.unshift(job.flow, job);
    else fail(job, 'image_decode_crashed', `the decoder process ended (${how})`);
  }

  /** Gives waiting images to idle processes, and lets Node end when there is nothing to do. */
  function assign(): void {
    for (const slot of slots) {
      if (slot.state === 'ready' && slot.job === null) {
        const job = queue.shift(CHARGED_MS);
        if (job !== undefined) run(slot, job);
      }
    }
    for (const { child, state, job } of slots) child.hold(state !== 'ready' || job !== null);
  }

  function run(slot: Slot, job: Job): void {
    slot.job = job;
    job.startedAt = performance.now();
    slot.unwatch = watchJob({
      pid: slot.child.pid,
      timeoutMs,
      memoryBytes,
      // The image is not tried again: it would take as much of another process.
      onOver: (limit, why) => {
        fail(job, `image_decode_${limit}`, why);
        charge(job);
        slot.job = null;
        stop(slot, limit);
      },
    });
    slot.child.send({ job: job.job, request: job.request });
  }

  function release(slot: Slot): Job | null {
    slot.unwatch();
    const { job } = slot;
    slot.job = null;
    if (job !== null) charge(job);
    return job;
  }

  /** A flow pays for the time that its images take. */
  function charge({ flow, startedAt }: Job): void {
    queue.charge(flow, performance.now() - startedAt - CHARGED_MS);
  }

  function end(reason: AppError): void {
    over = reason;
    started.reject(reason);
    for (const job of queue.remove(() => true)) job.reject(reason);
    for (const slot of slots) {
      release(slot)?.reject(reason);
      slot.child.hold(true);
      slot.child.kill();
    }
    if (slots.size === 0) ended.resolve(undefined);
  }

  async function request(task: DecoderRequest, flow = ''): Promise<unknown> {
    if (over !== null) throw over;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const job = { job: jobs++, request: task, flow, startedAt: 0, crashes: 0, resolve, reject };
    queue.push(flow, job);
    assign();
    return await promise;
  }

  // Nobody need call ready(); each image is told as well.
  started.promise.catch(() => undefined);
  for (let i = 0; i < processes; i++) start();
  assign();

  return {
    get restarts() {
      return { ...restarts };
    },
    get pids() {
      return [...slots].flatMap(({ child }) => child.pid ?? []);
    },
    ready: () => started.promise,
    decode: async (bytes, { flow, sha256 = '', ...wanted } = {}) => {
      const seed = createHmac('sha256', options.frameKey ?? '')
        .update(sha256)
        .digest('hex');
      const result = await request({ task: 'decode', bytes, seed, ...wanted }, flow);
      return result as DecoderResults['decode'];
    },
    thumbnail: async (bytes, maxEdge) => {
      const result = await request({ task: 'thumbnail', bytes, maxEdge });
      const { buffer, byteOffset, byteLength } = result as DecoderResults['thumbnail'];
      return Buffer.from(buffer, byteOffset, byteLength);
    },
    fingerprint: async (bytes) =>
      (await request({ task: 'fingerprint', bytes })) as DecoderResults['fingerprint'],
    close: async () => {
      if (over === null) end(new AppError('aborted', 'decoding an image: the decoder was closed'));
      await ended.promise;
    },
  };
}

function fail(job: Job, code: ErrorCode, why: string): void {
  job.reject(new AppError(code, `decoding an image of ${job.request.bytes.length} bytes: ${why}`));
}
