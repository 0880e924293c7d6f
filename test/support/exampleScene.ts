import { randomUUID } from 'node:crypto';
import { OPT_IN_EVENTS } from '../../src/realtime/optInEvents.ts';
import {
  ADDITION,
  ANN,
  ANNS_MESSAGE,
  BOB,
  BOBS_MESSAGE,
  CAROL,
  GROUP,
  GROUP_MESSAGE,
  REACTION,
  UNREAD_MESSAGE,
} from '../../src/ws/examples/values.ts';
import { add, newCircle, newPerson, type Person, write, writeToGroup } from './people.ts';
import { type Answer, connect, type Socket } from './socket.ts';

const ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const TIME = /(?<=")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z(?=")/g;

/** The people of the examples and what they have written, on a server; all hear every event. */
export interface ExampleScene {
  ann: Person;
  bob: Person;
  carol: Person;
  groupId: string;
  groupMessageId: string;
  /** What an example says, of this scene: ids that it has not are new ones. */
  inScene(example: unknown): unknown;
  /** The other way around. */
  inExamples<Frame>(frame: Frame): Frame;
  /** What was broadcast to everybody so far, with the ids of the examples. */
  heard(): Promise<Answer[]>;
  close(): Promise<void>;
}

/** The same, with one time for all: when something happens is not what an example tells. */
export const timeless = (frame: unknown): unknown => JSON.parse(JSON.stringify(frame).replace(TIME, 'a time'));

export async function setExampleScene(server: { url: string }): Promise<ExampleScene> {
  const [ann, bob, carol] = await Promise.all([
    newPerson(server, 'Ann', 'Archer'),
    newPerson(server, 'Bob', 'Baker'),
    newPerson(server, 'Carol', null),
  ]);
  const groupId = await newCircle(server, [ann]);
  const [first, second, third, addition, groupMessageId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  await write(bob, ann, 'Lunch?', first);
  await ann.socket.ask('privateMessage', { messageId: second, receiverId: bob.id, content: 'At one', replyToId: first });
  await write(bob, ann, 'See you there', third);
  await ann.socket.ask('addReaction', { receiverId: bob.id, messageId: first, emoji: REACTION.emoji });
  await add(ann, groupId, bob, addition);
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
    [ADDITION, addition],
    [GROUP_MESSAGE, groupMessageId],
  ]);
  const inExamples = <Frame>(frame: Frame): Frame => {
    const examples = new Map([...ids].map(([example, id]) => [id, example]));
    return JSON.parse(JSON.stringify(frame).replace(ID, (id) => examples.get(id) ?? id));
  };
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
    inExamples,
    inScene: (example) => JSON.parse(JSON.stringify(example).replace(ID, idFor)),
    async heard() {
      await Promise.all(open().map((socket) => socket.settle()));
      return inExamples(sockets.flatMap(({ broadcasts }) => broadcasts));
    },
    async close() {
      await Promise.all(open().map((socket) => socket.close()));
    },
  };
}
