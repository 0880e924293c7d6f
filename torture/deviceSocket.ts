import { WebSocket } from 'ws';
import type { SocketClass } from '../client/socket.ts';
import type { Line } from './actor.ts';
import type { Server } from './server.ts';

/** A connection of the client library, for faults to strike. */
export interface DeviceLine extends Line {
  /** The number of the server that it leads to. */
  readonly node: number;
}

interface Surroundings {
  /** The server for the next connection, as a name with several addresses or a balancer would choose it. */
  choose(): Server;
  opened(line: DeviceLine): void;
  closed(line: DeviceLine, code: number): void;
  /** A request is about to be sent. */
  sends(line: DeviceLine, text: string): void;
}

/** The class of connections for a client library: whatever address it is given, each leads to one of the servers. */
export function socketClass({ choose, opened, closed, sends }: Surroundings): SocketClass {
  return class extends WebSocket {
    readonly #line: DeviceLine;

    constructor(_url: string, protocols: string[]) {
      const { node, url } = choose();
      super(`${url.replace('http', 'ws')}/api/ws`, protocols, { perMessageDeflate: false });
      this.#line = { node, vanish: () => this.terminate(), pause: () => this.pause(), resume: () => this.resume() };
      this.once('open', () => opened(this.#line));
      this.once('close', (code) => closed(this.#line, code));
    }

    override send(text: string): void {
      sends(this.#line, text);
      super.send(text);
    }
  };
}
