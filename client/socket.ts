/** As much of a WebSocket as the client uses: that of browsers and of Node 22, and that of the package `ws`. */
export interface Socket {
  addEventListener(type: 'open', listener: (event: unknown) => void): void;
  /** Programs are told in words what is wrong, browsers are not. */
  addEventListener(type: 'error', listener: (event: { message?: string }) => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
  send(text: string): void;
  close(): void;
}

export type SocketClass = new (url: string, protocols: string[]) => Socket;

/**
 * The platform's own WebSocket.
 * @throws {TypeError} when there is none, as in Node before 22
 */
export function standardSocket(): SocketClass {
  const { WebSocket }: { WebSocket?: SocketClass } = globalThis;
  if (!WebSocket) throw new TypeError('There is no WebSocket here: give the class of the package ws as WebSocket');
  return WebSocket;
}
