import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageFile } from '../src/package-files.ts';
import { startReaper, type Reaper } from '../src/demo/kafka/reaper.ts';

const RESTART_AFTER_MS = 300;
/** A service that ends again and again is not started for ever. */
const MAX_RESTARTS = 20;

export interface ServiceOptions {
  configFile: string;
  logFile: string;
  /** @default this package's */
  program?: string;
  /** Told of each process of it, and where its probes are. */
  onRunning: (pid: number, port: number) => void;
}

/** `moderato run` in a process of its own, and a supervisor that starts it again. */
export class SupervisedService {
  /** How it ended without being told to. */
  readonly exits: string[] = [];
  /** Settles when it ended so often that it is not started any more. */
  readonly gaveUp: Promise<undefined>;
  readonly #options: ServiceOptions;
  readonly #log: WriteStream;
  readonly #reaper: Reaper = startReaper('kill -9 $last');
  readonly #supervising: Promise<void>;
  #child: ChildProcess | undefined;
  #isClosing = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#log = createWriteStream(options.logFile);
    this.#supervising = this.#supervise();
    this.gaveUp = this.#supervising.then(() => undefined);
  }

  /** Whether it ended so often that it is not started any more. */
  get isGivenUp(): boolean {
    return this.exits.length > MAX_RESTARTS;
  }

  async close(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#isClosing = true;
    this.#child?.kill(signal);
    await this.#supervising;
    this.#reaper.release();
    this.#log.end();
  }

  async #supervise(): Promise<void> {
    while (!this.#isClosing && !this.isGivenUp) {
      const how = await this.#runOnce();
      if (!this.#hasClosed()) this.exits.push(how);
      await sleep(RESTART_AFTER_MS);
    }
  }

  #hasClosed(): boolean {
    return this.#isClosing;
  }

  #runOnce(): Promise<string> {
    const { configFile, onRunning, program = packageFile('bin/moderato.js') } = this.#options;
    const child = spawn(process.execPath, [program, 'run', '-c', configFile], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const { pid = 0 } = child;
    this.#reaper.watch(`${pid}`);
    let head = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (head === 'found') return;
      head += chunk.toString();
      const port = /"httpPort":(\d+)/.exec(head)?.[1];
      if (port === undefined) return;
      head = 'found';
      onRunning(pid, Number(port));
    });
    for (const stream of [child.stdout, child.stderr]) stream.pipe(this.#log, { end: false });
    return new Promise((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (code, signal) => resolve(`${signal ?? code ?? 'unknown'}`));
    });
  }
}
