import { randomUUID } from 'node:crypto';
import { OPT_IN_EVENTS } from '../../src/realtime/optInEvents.ts';
import { ANN, ANNS_MESSAGE, BOB, BOBS_MESSAGE, CAROL, GROUP, GROUP_MESSAGE, UNREAD_MESSAGE } from '../../src/ws/examples/values.ts';
import { newCircle, newPerson, type Person, write, writeToGroup } from './people.ts';
import { type Answer, connect, type Socket } from './socket.ts';

const ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** The people of the examples and what they have written, on a server; all hear every event. */
export interface ExampleScene {
  ann: Person;
  bob: Person;
  carol: Person;
  groupId: string;
  groupMessageId: string;
  /** What an example says, of this scene: ids that it has not are new ones. */
  inScene(example: unknown): unknown;
  /** What was broadcast to everybody so far. */
  heard(): Promise<Answer[]>;
  close(): Promise<void>;
}

export async function setExampleScene(server: { url: string }): Promise<ExampleScene> {
  const [ann, bob, carol] = await Promise.all([
    newPerson(server, 'Ann', 'Archer'),
    newPerson(server, 'Bob', 'Baker'),
    newPerson(server, 'Carol', null),
  ]);
  const groupId = await newCircle(server, [ann, bob]);
  const [first, second, third, groupMessageId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  await write(bob, ann, 'Lunch?', first);
  await ann.socket.ask('privateMessage', { messageId: second, receiverId: bob.id, content: 'At one', replyToId: first });
  await write(bob, ann, 'See you there', third);
  await writeToGroup(ann, groupId, 'Hello, everybody', groupMessageId);
  const sockets: Socket[] = [ann.socket, bob.socket, carol.socket, await connect(server, ann)];
  for (const socket of sockets) {
    await socket.ask('subscribe', { events: OPT_IN_EVENTS });
    socket.frames.length = 0;
  }
  const ids = new Map([
    [ANN, ann.id],
    [BOB, bob.id],
    [CAROL, carol.id],
    [GROUP, groupId],
    [BOBS_MESSAGE, first],
    [ANNS_MESSAGE, second],
    [UNREAD_MESSAGE, third],
    [GROUP_MESSAGE, groupMessageId],
  ]);
  const idFor = (id: string) => {
    const known = ids.get(id) ?? randomUUID();
    ids.set(id, known);
    return known;
  };
  const open = () => sockets.filter(({ socket }) => socket.readyState === socket.OPEN);
  return {
    ann,
    bob,
    carol,
    groupId,
    groupMessageId,
    inScene: (example) => JSON.parse(JSON.stringify(example).replace(ID, idFor)),
    async heard() {
      await Promise.all(open().map((socket) => socket.settle()));
      return sockets.flatMap(({ broadcasts }) => broadcasts);
    },
    async close() {
      await Promise.all(open().map((socket) => socket.close()));
    },
  };
}
