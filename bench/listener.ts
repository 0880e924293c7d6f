import { connect, type Socket } from 'node:net';
import type { Account } from './client.ts';

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
/** Frames of a client are masked, here with zeros. */
const PONG_FRAME = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
const CLOSE_FRAME = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);
/** All read into one: a frame is counted before the next is read. */
const INPUT = Buffer.allocUnsafe(256 * 1024);

/**
 * A client that only counts the text frames it receives and answers pings. It does without `ws` and its streams, which cost more for
 * each frame than the server spends on it: with hundreds of receivers the load would be what is measured.
 */
export class Listener {
  /** Text frames so far. */
  frames = 0;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #opened: ((error?: Error) => void) | undefined;
  /** What came of a frame's header, or of the answer to the handshake, that is not whole yet. */
  #rest = Buffer.alloc(0);
  /** Bytes that are to come of the frame begun. */
  #missing = 0;

  private constructor({ hostname, port }: URL, { token }: Account) {
    const onread = { buffer: INPUT, callback: (count: number) => this.#read(INPUT.subarray(0, count)) };
    this.#socket = connect({ host: hostname, port: Number(port), onread, noDelay: true });
    this.#socket.on('error', (error) => this.#opened?.(error));
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#opened?.(new Error('the connection was closed before it was open'));
        resolve();
      });
    });
    this.#socket.write(
      `GET /api/ws HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
  }

  /** Opens a connection and resolves when it is open. The address begins with `http:`. */
  static async connect(url: string, account: Account): Promise<Listener> {
    const listener = new Listener(new URL(url), account);
    await new Promise<void>((resolve, reject) => {
      listener.#opened = (error) => (error ? reject(error) : resolve());
    });
    return listener;
  }

  /** Closes the connection and resolves when it is gone. */
  async close(): Promise<void> {
    this.#socket.write(CLOSE_FRAME);
    await this.closed;
  }

  #read(input: Buffer): boolean {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, input]) : input;
    this.#rest = this.#rest.subarray(0, 0);
    if (this.#opened) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = Buffer.from(data);
        return true;
      }
      const status = data.toString('latin1', 0, data.indexOf('\r\n'));
      this.#opened(status.startsWith('HTTP/1.1 101') ? undefined : new Error(`the handshake was answered with ${status}`));
      this.#opened = undefined;
      data = data.subarray(end + 4);
    }
    this.#readFrames(data);
    return true;
  }

  #readFrames(data: Buffer): void {
    let at = this.#missing;
    for (let length = frameLength(data, at); length !== undefined; length = frameLength(data, at)) {
      this.#onFrame((data[at] ?? 0) & 15);
      at += length;
    }
    if (at < data.length) this.#rest = Buffer.from(data.subarray(at));
    this.#missing = Math.max(0, at - data.length);
  }

  #onFrame(opcode: number): void {
    if (opcode === TEXT) this.frames++;
    else if (opcode === PING) this.#socket.write(PONG_FRAME);
    else if (opcode === CLOSE) this.#socket.end();
  }
}

/** Length of the frame that begins at `at`, its header included; undefined when the header is not there yet. */
function frameLength(data: Buffer, at: number): number | undefined {
  if (at + 2 > data.length) return undefined;
  const short = (data[at + 1] ?? 0) & 127;
  if (short < 126) return 2 + short;
  const header = short === 126 ? 4 : 10;
  if (at + header > data.length) return undefined;
  return header + (short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2)));
}

/** Opens a connection for each account, some at a time. */
export async function listenAll(url: string, accounts: Account[]): Promise<Listener[]> {
  const listeners: Listener[] = [];
  for (let from = 0; from < accounts.length; from += 100) {
    listeners.push(...(await Promise.all(accounts.slice(from, from + 100).map((account) => Listener.connect(url, account)))));
  }
  return listeners;
}
