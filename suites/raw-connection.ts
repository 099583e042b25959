import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const TIMEOUT_MS = 60_000;

/** One connection to a broker, for requests that no client sends. Each waits for the answer of the one before. */
export class RawConnection {
  readonly #socket: Socket;
  #correlation = 0;
  #received: Buffer[] = [];
  #awaited: PromiseWithResolvers<Buffer> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const end = (error?: Error): void =>
      this.#awaited?.reject(error ?? new Error('the broker closed the connection'));
    socket.on('error', end).on('close', () => end());
    socket.setTimeout(TIMEOUT_MS, () => {
      if (this.#awaited) socket.destroy(new Error('the broker does not answer'));
    });
  }

  /** @param broker - host:port */
  static async open(broker: string): Promise<RawConnection> {
    const [host = '', port] = broker.split(':');
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /**
   * Sends a request with header version 1 and no client id; resolves with the body of the answer (header version 0).
   * https://kafka.apache.org/protocol#protocol_messages
   */
  async request(apiKey: number, version: number, body: readonly Buffer[]): Promise<Buffer> {
    this.#correlation += 1;
    const parts = [int16(apiKey), int16(version), int32(this.#correlation), int16(-1), ...body];
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const answer = Promise.withResolvers<Buffer>();
    this.#awaited = answer;
    this.#socket.cork();
    for (const part of [int32(length), ...parts]) this.#socket.write(part);
    this.#socket.uncork();
    return await answer.promise;
  }

  close(): void {
    this.#awaited = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    const all = Buffer.concat(this.#received);
    if (all.length < 4 || all.length < 4 + all.readInt32BE(0)) return;
    this.#received = [];
    this.#awaited?.resolve(all.subarray(8)); // behind the size and the correlation id
    this.#awaited = undefined;
  }
}

export function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

export function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

/** STRING: its length in two bytes, then UTF-8. */
export function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([int16(bytes.length), bytes]);
}
