import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './instance-messages.ts';

const PROGRAM = fileURLToPath(new URL('./instance.ts', import.meta.url));
const RESTART_AFTER_MS = 300;
/** Between the service's end and that of its process. */
const MAX_LINGER_MS = 5_000;

export interface InstanceOptions {
  name: string;
  configFile: string;
  storeFolder: string;
  logFolder: string;
  /** `kafka.instanceId` of each of its processes: with it, one that starts again takes up the partitions of the last. */
  instanceId?: string;
  /** Told that there is another process of it. */
  onStart: (pid: number) => void;
  /** Told how it ended: an exit code, or the name of a signal. */
  onEnd: (how: string) => void;
}

/** One service instance and its supervisor, which starts it again however it ends. */
export class Instance {
  readonly logFile: string;
  readonly #options: InstanceOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #supervising: Promise<void>;
  readonly #closing = new AbortController();
  /** It takes part: it runs and is not frozen. */
  isUp = false;

  constructor(options: InstanceOptions) {
    this.#options = options;
    this.logFile = join(options.logFolder, `${options.name}.log`);
    this.#log = createWriteStream(this.logFile);
    this.#supervising = this.#supervise();
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    if (signal !== 'SIGCONT') this.isUp = false;
    this.#child?.kill(signal);
  }

  /** Stops it for a while; another fault may end it meanwhile. */
  async freeze(ms: number): Promise<void> {
    const child = this.#child;
    this.signal('SIGSTOP');
    await sleep(ms);
    if (child !== this.#child) return;
    this.signal('SIGCONT');
    this.isUp = true;
  }

  send(order: Order): void {
    if (this.#child?.connected) this.#child.send(order);
  }

  /** Lets it drain, and starts it no more. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.signal('SIGCONT');
    this.#child?.kill('SIGTERM');
    const backstop = setTimeout(() => this.#child?.kill('SIGKILL'), 30_000);
    await this.#supervising;
    clearTimeout(backstop);
    this.#log.end();
  }

  /** Ends it at once, and starts it no more. */
  async abandon(): Promise<void> {
    this.#closing.abort();
    this.#child?.kill('SIGKILL');
    await this.#supervising;
  }

  async #supervise(): Promise<void> {
    const { configFile, storeFolder, instanceId, onStart, onEnd } = this.#options;
    while (!this.#closing.signal.aborted) {
      const child = fork(PROGRAM, [configFile, storeFolder], {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        env: {
          ...process.env,
          ...(instanceId !== undefined && { MODERATO_KAFKA_INSTANCE_ID: instanceId }),
        },
        execArgv: ['--disable-warning=TimeoutNegativeWarning'],
      });
      this.#child = child;
      onStart(this.pid);
      let lingering: NodeJS.Timeout | undefined;
      child.stdout?.pipe(this.#log, { end: false });
      child.stderr?.pipe(this.#log, { end: false });
      child.on('message', ({ running }: Report) => {
        this.isUp = running;
        if (!running) lingering = setTimeout(() => child.kill('SIGKILL'), MAX_LINGER_MS);
      });
      child.on('error', () => undefined); // an order that came too late
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      this.isUp = false;
      clearTimeout(lingering);
      const overdue = lingering !== undefined && signal === 'SIGKILL';
      onEnd(overdue ? 'lingering after its end' : (signal ?? `exit ${code}`));
      await sleep(RESTART_AFTER_MS);
    }
  }
}
