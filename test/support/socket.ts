import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { violationOf } from './description.ts';

const params = z.strictObject({
  item: z.record(z.string(), z.unknown()).nullable(),
  data: z.array(z.record(z.string(), z.unknown())).nullable(),
  isBroadcast: z.boolean(),
  seq: z.int().positive().optional(),
  rev: z.int().positive().optional(),
  createdAt: z.iso.datetime({ precision: 3 }).optional(),
});

/** Any frame of the contract, and nothing else: one that `asyncapi.yaml` describes. */
export const frame = z
  .union([
    z.strictObject({ type: z.string(), success: z.literal(true), params, requestId: z.unknown().optional() }),
    z.strictObject({
      error: z.literal(true),
      type: z.string(),
      message: z.string(),
      code: z.string(),
      issues: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
      retryAfter: z.int().positive().optional(),
      requestId: z.unknown().optional(),
    }),
  ])
  .superRefine((frame, context) => {
    const violation = violationOf(frame);
    if (violation !== undefined) context.addIssue(violation);
  });

export type Frame = z.output<typeof frame>;
export type Answer = Extract<Frame, { success: true }>;
export type Failure = Extract<Frame, { error: true }>;

/** A client of the WebSocket: remembers every frame it received, in order. */
export class Socket {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  readonly #arrivals = new EventEmitter().setMaxListeners(0);

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.frames.push(frame.parse(JSON.parse(String(data))));
      this.#arrivals.emit('frame');
    });
    socket.on('close', () => this.#arrivals.emit('error', new Error('the connection was closed')));
    this.#arrivals.on('error', () => {});
  }

  /** Broadcasts so far. */
  get broadcasts(): Answer[] {
    return this.frames.filter((frame): frame is Answer => 'success' in frame && frame.params.isBroadcast);
  }

  send(value: unknown): void {
    this.socket.send(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value));
  }

  /** Sends a request and waits for its answer or error. */
  async request(type: string, params: unknown): Promise<Frame> {
    const requestId = randomUUID();
    this.send({ type, params, requestId });
    return this.until((frame) => frame.requestId === requestId);
  }

  /** A request that must succeed. */
  async ask(type: string, params: unknown): Promise<Answer['params']> {
    const frame = await this.request(type, params);
    if ('error' in frame) throw new Error(`${type}: ${frame.message} ${JSON.stringify(frame.issues)}`);
    return frame.params;
  }

  /** A request that must fail. */
  async fail(type: string, params: unknown): Promise<Failure> {
    const frame = await this.request(type, params);
    if ('success' in frame) throw new Error(`${type} succeeded: ${JSON.stringify(frame)}`);
    return frame;
  }

  /** The rows of a page. */
  async rows(type: string, params: unknown): Promise<Record<string, unknown>[]> {
    return (await this.ask(type, params)).data ?? [];
  }

  /** Waits for a frame, seen or to come. */
  async until(wanted: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(wanted);
      if (found) return found;
      await once(this.#arrivals, 'frame');
    }
  }

  /** Waits for a broadcast of this type and returns its item. */
  async broadcast(type: string): Promise<Record<string, unknown>> {
    const frame = await this.until((frame) => 'success' in frame && frame.params.isBroadcast && frame.type === type);
    return ('success' in frame && frame.params.item) || {};
  }

  /** Whatever was broadcast before this call has arrived when it resolves: a connection's frames keep their order. */
  async settle(): Promise<void> {
    await this.request('listLastMessage', { limit: 1, cursorCreatedAt: null });
  }

  /** Waits for the end of the connection and returns how the server closed it. */
  closed(): Promise<{ code: number; reason: string }> {
    return new Promise((resolve) => this.socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })));
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }
}

/** Opens a connection as a script does, with a header. */
export async function connect(server: { url: string }, { token }: { token: string }): Promise<Socket> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/ws`, { headers: { authorization: `Bearer ${token}` } });
  const client = new Socket(socket);
  await once(socket, 'open');
  return client;
}
