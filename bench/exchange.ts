import { randomUUID } from 'node:crypto';
import type { RawData, WebSocket } from 'ws';
import { messageIdOf, send as sendFrame } from './client.ts';
import type { Sample } from './samples.ts';

/** One who writes, and one of those who receive what is written. */
export interface Lane {
  sender: WebSocket;
  receiver: WebSocket;
  type: 'privateMessage' | 'messageInGroup';
  /** Where to: the params beside `messageId` and `content`. */
  to: object;
}

const CONTENT = 'Hello there, how are you doing today?';

/**
 * Sends messages for some seconds, `inFlight` of each lane at a time. A message is done when its sender has the acknowledgement
 * and its receiver the broadcast; then the next is sent. Resolves when all are done.
 */
export function exchange(lanes: Lane[], inFlight: number, seconds: number): Promise<Sample> {
  return new Promise((resolve, reject) => {
    const pending = new Map<string, { lane: Lane; sentAt: number; missing: number }>();
    const latencies: number[] = [];
    const begin = performance.now();

    const send = (lane: Lane) => {
      const messageId = randomUUID();
      pending.set(messageId, { lane, sentAt: performance.now(), missing: 2 });
      sendFrame(
        lane.sender,
        JSON.stringify({ type: lane.type, requestId: messageId, params: { messageId, content: CONTENT, ...lane.to } }),
      );
    };
    const arrived = (messageId: string) => {
      const message = pending.get(messageId);
      if (!message || --message.missing > 0) return;
      pending.delete(messageId);
      const now = performance.now();
      latencies.push(now - message.sentAt);
      if (now - begin < seconds * 1000) send(message.lane);
      else if (pending.size === 0) finish(() => resolve({ count: latencies.length, seconds: (now - begin) / 1000, latencies }));
    };
    const sockets = new Set(lanes.flatMap(({ sender, receiver }) => [sender, receiver]));
    const onMessage = (data: RawData) => {
      try {
        arrived(messageIdOf(data));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const onClose = (code: number) => finish(() => reject(new Error(`a connection was closed with ${code}`)));
    const finish = (settle: () => void) => {
      for (const socket of sockets) socket.off('message', onMessage).off('close', onClose);
      settle();
    };
    for (const socket of sockets) socket.on('message', onMessage).on('close', onClose);
    for (const lane of lanes) for (let count = 0; count < inFlight; count++) send(lane);
  });
}
