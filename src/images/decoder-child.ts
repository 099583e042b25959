import { fork, type ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { DecoderReply, DecoderRequest, DecoderSettings } from './decoder-messages.ts';
import { pack, unpack, type Packed } from './handover.ts';
import { offerToOomKiller } from './process-memory.ts';
import { SharedBytes } from './shared-bytes.ts';

/** Nothing else of the environment is passed on: a decoder that is taken over finds no secrets. */
const ENVIRONMENT = ['PATH', 'TZ', 'LANG', 'TMPDIR', 'LD_LIBRARY_PATH', 'SystemRoot', 'TEMP'];

/** How Node and glibc manage the memory of a decoder process. */
export const DECODER_PROCESS = {
  // Pixels lie outside the heap and are freed when it is collected: a small nursery is, often.
  execArgv: ['--max-semi-space-size=1'],
  // One image at a time needs one thread; glibc's arenas, one a thread, hold on to freed pixels.
  env: { UV_THREADPOOL_SIZE: '1', MALLOC_ARENA_MAX: '2' },
};

/** How much of what a process last wrote on stderr is kept, in characters. */
const STDERR_TAIL = 2_000;

export interface DecoderChild {
  readonly pid: number | undefined;
  send(request: DecoderRequest): void;
  /** Keeps Node alive, or no longer does. */
  hold(yes: boolean): void;
  kill(): void;
}

export interface DecoderChildOptions {
  settings: DecoderSettings;
  /** @default the decoder process beside this file */
  script?: URL;
  onReply: (reply: DecoderReply) => void;
  /** Called once, with how it ended and the last it wrote on stderr. */
  onExit: (how: string) => void;
}

/** Starts one decoder process. It ends with its parent. */
export function startDecoderChild(options: DecoderChildOptions): DecoderChild {
  const here = import.meta.url;
  const { script = new URL(`./decoder-process${extname(fileURLToPath(here))}`, here) } = options;
  const shared = SharedBytes.open();
  const child = fork(fileURLToPath(script), [JSON.stringify(options.settings)], {
    serialization: 'advanced',
    execArgv: DECODER_PROCESS.execArgv,
    env: {
      ...Object.fromEntries(
        ENVIRONMENT.flatMap((name) => {
          const value = process.env[name];
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      ...DECODER_PROCESS.env,
    },
    // The last is SHARED_FD in the child.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', shared?.fd ?? 'ignore'],
  });
  offerToOomKiller(child.pid);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_TAIL);
  });
  let ended = false;
  const onEnd = (how: string) => {
    if (ended) return;
    ended = true;
    options.onExit([how, stderr.trim()].filter(Boolean).join(': '));
  };
  child.on('message', (message) => {
    const reply = unpack(message as Packed<DecoderReply>, shared);
    if (reply === null) child.kill('SIGKILL');
    else options.onReply(reply);
  });
  child.on('error', (error) => {
    // Not started, or started and not to be reached any more.
    if (child.pid === undefined) onEnd(error.message);
    else child.kill('SIGKILL');
  });
  // Not 'exit': stderr is complete only at 'close'.
  child.on('close', (code, signal) => {
    shared?.close();
    onEnd(signal ?? `exit code ${String(code)}`);
  });
  const handle: DecoderChild = {
    pid: child.pid,
    send: (request) => void child.send(pack(request, shared)),
    hold: (yes) => hold(child, yes),
    kill: () => void child.kill('SIGKILL'),
  };
  return handle;
}

function hold(child: ChildProcess, yes: boolean): void {
  // A pipe of a child process is a socket, although its type is Readable.
  const stderr = child.stderr as unknown as { ref(): void; unref(): void } | null;
  for (const handle of [child, child.channel, stderr]) {
    if (yes) handle?.ref();
    else handle?.unref();
  }
}
