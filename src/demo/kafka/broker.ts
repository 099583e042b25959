import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { aliveBrokers } from './wire.ts';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

/** C1 only and the serial collector: a short-lived broker starts faster and stays smaller. */
export const JVM_FLAGS: readonly string[] = [
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xshare:auto',
  '-Djava.awt.headless=true',
];

export interface BrokerOptions {
  id: number;
  port: number;
  folder: string;
  java: string;
  javaArgs: readonly string[];
  /** Class-data archive that halves the start; written at the first clean exit of a broker that lacks it. */
  archive: string;
  /** Of the Java heap, at most. */
  heapMiB: number;
  /** Only one of a cluster's brokers writes the archive. */
  writesArchive: boolean;
}

/** One broker process, which can be stopped and started again on the same data. */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #log: string;
  #child: ChildProcess | undefined;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#log = join(options.folder, 'broker.log');
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** True while this broker has yet to write the archive, which happens at a clean exit only. */
  get owesArchive(): boolean {
    return this.#options.writesArchive && !existsSync(this.#options.archive);
  }

  async launch(): Promise<void> {
    const { java, javaArgs, folder, archive, heapMiB } = this.#options;
    const classData = existsSync(archive)
      ? [`-XX:SharedArchiveFile=${archive}`]
      : this.#options.writesArchive
        ? [`-XX:ArchiveClassesAtExit=${this.#ownArchive()}`]
        : [];
    const log = await open(this.#log, 'a');
    try {
      this.#child = spawn(
        java,
        [
          `-Xmx${heapMiB}m`,
          ...classData,
          '-Xlog:cds=off',
          '-Xlog:cds+dynamic=off',
          ...javaArgs,
          'kafka.Kafka',
          join(folder, 'server.properties'),
        ],
        // Detached: a Ctrl-C at the terminal is for us, who stop the broker when we no longer need it.
        { stdio: ['ignore', log.fd, log.fd], detached: true },
      );
      this.#child.on('error', () => undefined); // seen by waitUntilReady as an early end
      this.#child.unref();
    } finally {
      await log.close();
    }
  }

  /** Waits until this broker knows all of `expected` as alive. Throws AppError `kafka_unavailable`. */
  async waitUntilReady(expected: readonly number[]): Promise<void> {
    const { id, port } = this.#options;
    const deadline = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      if (!this.#running()) await this.#fail(`broker ${id} ended early`);
      const alive = await aliveBrokers(port).catch((): number[] => []); // not listening yet
      if (expected.every((other) => alive.includes(other))) return;
      if (performance.now() > deadline) await this.#fail(`broker ${id} is not ready`);
      await sleep(25);
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    if (this.#running()) {
      child.ref();
      const exited = once(child, 'exit');
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    }
    this.#child = undefined;
    await rename(this.#ownArchive(), this.#options.archive).catch(() => undefined); // none was written
  }

  #running(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  #ownArchive(): string {
    return `${this.#options.archive}.${process.pid}`;
  }

  async #fail(what: string): Promise<never> {
    const log = await readFile(this.#log, 'utf8').catch(() => '');
    const tail = log.split('\n').slice(-30).join('\n').trim();
    throw new AppError('kafka_unavailable', `starting Apache Kafka: ${what}\n${tail}`);
  }
}
