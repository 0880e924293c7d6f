import { once } from 'node:events';
import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

/**
 * The floor that the server is measured against: a plain relay with the same envelope, no database and no rules.
 * A token is its user's id, and everybody is in the one group that there is. Prints the port it listens on.
 */

interface Request {
  type: string;
  requestId: string;
  params: { messageId: string; content: string; receiverId?: string };
}

/** Of the one conversation that the relay knows. */
let count = 0;
const everybody = new Map<string, Set<WebSocket>>();
const httpServer = createServer((_request, response) => response.end());
const sockets = new WebSocketServer({ server: httpServer, perMessageDeflate: false, clientTracking: false });

sockets.on('connection', (socket, { headers }) => {
  const userId = headers.authorization?.slice('Bearer '.length) ?? '';
  const mine = everybody.get(userId) ?? new Set();
  everybody.set(userId, mine.add(socket));
  socket.on('message', (data) => relay(socket, userId, JSON.parse(String(data))));
  socket.on('close', () => {
    mine.delete(socket);
    if (mine.size === 0) everybody.delete(userId);
  });
});

function relay(socket: WebSocket, senderId: string, { type, requestId, params: { messageId, content, receiverId } }: Request): void {
  count++;
  const place = { seq: count, rev: count, createdAt: new Date().toISOString() };
  const item = { messageId, message: content, senderName: 'Somebody', senderLastName: null, senderId, ...place };
  const broadcast = JSON.stringify({ type, success: true, params: { item, data: null, isBroadcast: true } });
  for (const [userId, connections] of receiverId === undefined ? everybody : [[receiverId, everybody.get(receiverId)] as const]) {
    if (userId === senderId) continue;
    for (const connection of connections ?? []) connection.send(broadcast);
  }
  socket.send(JSON.stringify({ type, success: true, params: { item: null, data: null, isBroadcast: false, ...place }, requestId }));
}

httpServer.listen(0, '127.0.0.1');
await once(httpServer, 'listening');
const address = httpServer.address();
if (address && typeof address !== 'string') process.stdout.write(`http://127.0.0.1:${address.port}\n`);
