import { connect, type Socket } from 'node:net';
import { joinWrites } from '../src/lib/joinWrites.ts';
import type { Account } from './client.ts';

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
/** Frames of a client are masked, here with zeros. */
const PONG_FRAME = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
const CLOSE_FRAME = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);
/** All read into one: what came is taken before the next is read. */
const INPUT = Buffer.allocUnsafe(256 * 1024);

/**
 * A client that counts the text frames it receives, hands them on to who wants them, and answers pings. It does without `ws` and its
 * streams, which cost more for each frame than the server spends on it: with them the load would be what is measured.
 */
export class LoadClient {
  /** Text frames so far. */
  frames = 0;
  /** Takes the text of each frame; until there is one, frames are only counted. Must not throw. */
  onText: ((text: string) => void) | undefined;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #opened: ((error?: Error) => void) | undefined;
  /** What came of a frame, or of the answer to the handshake, that is not whole yet. */
  #rest = Buffer.alloc(0);

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
  static async connect(url: string, account: Account): Promise<LoadClient> {
    const client = new LoadClient(new URL(url), account);
    await new Promise<void>((resolve, reject) => {
      client.#opened = (error) => (error ? reject(error) : resolve());
    });
    return client;
  }

  /** Sends a text of fewer than 64 KiB; those that answer what came at once go out at once. */
  send(text: string): void {
    const length = Buffer.byteLength(text);
    const header = length < 126 ? 6 : 8;
    const frame = Buffer.alloc(header + length);
    frame[0] = 0x80 | TEXT;
    if (length < 126) frame[1] = 0x80 | length;
    else {
      frame[1] = 0x80 | 126;
      frame.writeUInt16BE(length, 2);
    }
    frame.write(text, header);
    joinWrites(this.#socket);
    this.#socket.write(frame);
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
      const isOpen = status.startsWith('HTTP/1.1 101');
      this.#opened(isOpen ? undefined : new Error(`the handshake was answered with ${status}`));
      this.#opened = undefined;
      if (!isOpen) {
        this.#socket.destroy();
        return false;
      }
      data = data.subarray(end + 4);
    }
    this.#readFrames(data);
    return true;
  }

  #readFrames(data: Buffer): void {
    let at = 0;
    for (let end = endOfFrame(data, at); end !== undefined && end <= data.length; end = endOfFrame(data, at)) {
      this.#onFrame(data, at, end);
      at = end;
    }
    if (at < data.length) this.#rest = Buffer.from(data.subarray(at));
  }

  #onFrame(data: Buffer, at: number, end: number): void {
    const opcode = (data[at] ?? 0) & 15;
    if (opcode === TEXT) {
      this.frames++;
      this.onText?.(data.toString('utf8', at + headerOf(data, at), end));
    } else if (opcode === PING) this.#socket.write(PONG_FRAME);
    else if (opcode === CLOSE) this.#socket.end();
  }
}

/** Bytes of the header of the frame that begins at `at`. A server does not mask. */
function headerOf(data: Buffer, at: number): number {
  const length = data[at + 1] ?? 0;
  if (length < 126) return 2;
  return length === 126 ? 4 : 10;
}

/** Where the frame that begins at `at` ends; undefined when its header is not whole. */
function endOfFrame(data: Buffer, at: number): number | undefined {
  const header = headerOf(data, at);
  if (at + header > data.length) return undefined;
  if (header === 2) return at + 2 + (data[at + 1] ?? 0);
  return at + header + (header === 4 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2)));
}

/** Opens a connection for each account, some at a time. */
export async function connectAll(url: string, accounts: Account[]): Promise<LoadClient[]> {
  const clients: LoadClient[] = [];
  for (let from = 0; from < accounts.length; from += 100) {
    clients.push(...(await Promise.all(accounts.slice(from, from + 100).map((account) => LoadClient.connect(url, account)))));
  }
  return clients;
}
