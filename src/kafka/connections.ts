import type { Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

/** The connections of all clients that were made from one `createKafka`. */
export class Connections {
  readonly #open = new Set<Socket>();
  /** By address, when a broker has last sent anything, in monotonic ms. */
  readonly #heardAt = new Map<string, number>();
  #isClosed = false;

  /** `factory`, with its sockets known here. */
  watched(factory: ISocketFactory): ISocketFactory {
    return (args) => {
      const socket = factory(args);
      const address = `${args.host}:${args.port}`;
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      socket.on('data', () => this.#heardAt.set(address, performance.now()));
      if (this.#isClosed) socket.destroy(new Error('the service has ended'));
      return socket;
    };
  }

  /**
   * `addresses` in the order in which to try them: that which was heard of last comes first. kafkajs begins each client
   * at the first one, and a broker that is frozen takes connections without answering on them.
   */
  byLife(addresses: readonly string[]): string[] {
    const heardAt = (address: string): number => this.#heardAt.get(address) ?? -Infinity;
    return addresses.toSorted((a, b) => {
      const [first, second] = [heardAt(a), heardAt(b)];
      return first === second ? 0 : second - first;
    });
  }

  /**
   * Ends every connection at once, and every one that is opened afterwards: kafkajs opens connections again for what it
   * retries, and holds the process with them.
   */
  close(): void {
    this.#isClosed = true;
    for (const socket of this.#open) socket.destroy();
  }
}
