import { spawn, type StdioOptions } from 'node:child_process';
import { openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { messageOf } from '../errors.ts';
import { confinedNode, inheritableDescriptors, permissionOptions } from './confinement.ts';
import type { DecoderJob, DecoderSettings } from './decoder-messages.ts';
import { createUnpacker, pack, type Unpacker } from './handover.ts';
import { LINK_FD, SHARED_FD, writeAll } from './parent-link.ts';
import { offerToOomKiller } from './process-memory.ts';
import { SharedBytes } from './shared-bytes.ts';

/** Nothing else of the environment is passed on: a decoder that is taken over finds no secrets. */
const ENVIRONMENT = ['TZ', 'LANG', 'LD_LIBRARY_PATH', 'SystemRoot'];

/** How Node and glibc manage the memory of a decoder process. */
export const DECODER_PROCESS = {
  // Pixels lie outside the heap and are freed when it is collected: a small nursery is, often.
  execArgv: ['--max-semi-space-size=1'],
  // One image at a time needs one thread; glibc's arenas, one a thread, hold on to freed pixels.
  // libvips would put pixels of more than 100 MB into files in the folder for temporary ones.
  env: { UV_THREADPOOL_SIZE: '1', MALLOC_ARENA_MAX: '2', VIPS_DISC_THRESHOLD: '1024g' },
};

/** How much of what a process last wrote on stderr is kept, in characters. */
const STDERR_TAIL = 2_000;

export interface DecoderChild {
  readonly pid: number | undefined;
  send(job: DecoderJob): void;
  /** Keeps Node alive, or no longer does. */
  hold(yes: boolean): void;
  /** With what is to be told of its end, instead of what it wrote on stderr. */
  kill(why?: string): void;
}

export interface DecoderChildOptions {
  settings: DecoderSettings;
  /** @default the decoder process beside this file */
  script?: URL;
  /** The most bytes of pixels that a reply has. */
  maxReplyBytes: number;
  /** Called with what the process says, whatever that is. */
  onReply: (reply: unknown) => void;
  /** Called once, with how it ended and the last it wrote on stderr. */
  onExit: (how: string) => void;
}

/** Starts one decoder process. It ends with its parent. */
export function startDecoderChild(options: DecoderChildOptions): DecoderChild {
  const here = import.meta.url;
  const { script = new URL(`./decoder-process${extname(fileURLToPath(here))}`, here) } = options;
  const file = fileURLToPath(script);
  const shared = SharedBytes.open();
  const [command = process.execPath, ...confined] = confinedNode();
  const node = [...DECODER_PROCESS.execArgv, ...permissionOptions(file)];
  const args = [...confined, ...node, file, JSON.stringify(options.settings)];
  const child = spawn(command, args, {
    env: {
      ...Object.fromEntries(
        ENVIRONMENT.flatMap((name) => {
          const value = process.env[name];
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      ...DECODER_PROCESS.env,
    },
    stdio: descriptors(shared),
  });
  // A pipe of a child process is a socket, although its type says less.
  const link = child.stdio[LINK_FD] as Socket | undefined;
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
  const kill = (why?: string): void => {
    if (why !== undefined) stderr = why;
    link?.destroy();
    child.kill('SIGKILL');
  };
  const unpacker = createUnpacker(shared, options.maxReplyBytes);
  link?.on('data', (chunk: Buffer) => {
    for (const reply of unpackWith(unpacker, chunk, kill)) {
      if (!link.destroyed) options.onReply(reply);
    }
  });
  // Between dropping its rights and becoming Node a process is out of reach, and may have been just now.
  link?.once('data', () => offerToOomKiller(child.pid));
  // It has ended or closed its end: 'close' says how, once it is gone.
  link?.on('error', () => kill());
  link?.on('end', () => kill());
  child.on('error', (error) => {
    // Not started, or started and not to be reached any more.
    if (child.pid === undefined) onEnd(error.message);
    else kill();
  });
  // Not 'exit': stderr is complete only at 'close'.
  child.on('close', (code, signal) => {
    shared?.close();
    onEnd(signal ?? `exit code ${String(code)}`);
  });
  return {
    pid: child.pid,
    send: (job) => {
      if (link?.writable) writeAll(link, pack(job, shared));
    },
    hold: (yes) => {
      for (const handle of [child, link, child.stderr as Socket | null]) {
        if (yes) handle?.ref();
        else handle?.unref();
      }
    },
    kill,
  };
}

function unpackWith(
  unpacker: Unpacker,
  chunk: Buffer,
  onMalformed: (why: string) => void,
): unknown[] {
  try {
    return unpacker.push(chunk);
  } catch (error) {
    onMalformed(`a malformed message: ${messageOf(error)}`);
    return [];
  }
}

/** What the process has open: the standard streams, the link, the shared memory, and nothing else of this one. */
function descriptors(shared: SharedBytes | null): StdioOptions {
  const stdio: Array<'ignore' | 'pipe' | number> = ['ignore', 'ignore', 'pipe'];
  stdio[LINK_FD] = 'pipe';
  stdio[SHARED_FD] = shared?.fd ?? devNull();
  for (const fd of inheritableDescriptors()) {
    while (stdio.length <= fd) stdio.push('ignore');
    // Node leaves the place of an ignored one as it is.
    if (fd > SHARED_FD) stdio[fd] = devNull();
  }
  return stdio;
}

let opened: number | undefined;

function devNull(): number {
  return (opened ??= openSync('/dev/null', 'r'));
}
