import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseEnv } from '../src/env.ts';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { createRoutes } from '../src/http/routes.ts';
import { createRegistry } from '../src/ws/registry.ts';
import { call, newUser } from './support/http.ts';
import { add, leave, NEWEST, newCircle, newPerson, type Person, write, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

/** Ids of what exists and is not the caller's. */
const KINDS = ['user', 'deletedUser', 'group', 'droppedGroup', 'dialog', 'message', 'groupMessage'] as const;
type Kind = (typeof KINDS)[number];

interface Row {
  /** Asks with this id, and with the caller's own things in the other fields. */
  ask(id: string): Promise<unknown>;
  /** Kinds of which the contract tells that they exist: whoever is written to or added, and an id that is taken. */
  except?: Kind[];
}

let server: TestServer;
let me: Person;
let foreign: Record<Kind, string>;
beforeAll(async () => {
  server = await startServer();
  const [ann, bob, gone] = [await newPerson(server), await newPerson(server), await newUser(server)];
  me = await newPerson(server);
  const [group, droppedGroup] = [await newCircle(server, [ann, bob]), await newCircle(server, [ann, bob])];
  await ann.socket.ask('dropGroup', { groupId: droppedGroup });
  await call(server, 'DELETE', '/profile', gone);
  const [message, groupMessage] = [randomUUID(), randomUUID()];
  await write(ann, bob, 'Between us', message);
  await writeToGroup(ann, group, 'Among us', groupMessage);
  foreign = { user: bob.id, deletedUser: gone.id, group, droppedGroup, dialog: dialogId(ann.id, bob.id), message, groupMessage };
});
afterAll(() => server.app.stop());

const asked = (type: string, params: object) => me.socket.request(type, params);
const sent = async (method: string, path: string, body?: object) => {
  const { status, body: answer } = await call(server, method, path, { token: me.token, body });
  return { status, answer };
};
const ALL = { changedSince: null, limit: 500 };
const message = () => ({ messageId: randomUUID(), message: 'Hello' });
const content = () => ({ messageId: randomUUID(), content: 'Hello' });
/** With the id of a message that is in the group of the others. */
const theirs = () => ({ messageId: foreign.groupMessage, message: 'Hello' });
const mine = () => newCircle(server, [me]);
/** Who has no group yet. */
const newcomer = async (path: string) => (await call(server, 'GET', path, await newUser(server))).body;

/** What is done to a message, by what beside its id is needed for that. */
const DEEDS = {
  markRead: {},
  editMessage: { content: 'Hello' },
  deleteMessage: {},
  addReaction: { emoji: '👍' },
  removeReaction: { emoji: '👍' },
};
/** The same over HTTP: below the conversation, with the id in the path or in the body. */
const DEEDS_OVER_HTTP = [
  { method: 'post', path: '/read', bodyOf: (messageId: string) => ({ messageId }) },
  { method: 'patch', path: '/messages/:messageId', bodyOf: () => ({ content: 'Hello' }) },
  { method: 'delete', path: '/messages/:messageId', bodyOf: () => undefined },
  { method: 'post', path: '/messages/:messageId/reactions', bodyOf: () => ({ emoji: '👍' }) },
  { method: 'delete', path: '/messages/:messageId/reactions/:emoji', bodyOf: () => undefined },
];

/** What names a message, and the conversation that it is in. */
function rowsOfDeeds(): Record<string, Row> {
  const ofTypes = Object.entries(DEEDS).flatMap(([type, rest]): [string, Row][] => [
    [`${type} receiverId`, { ask: (receiverId) => asked(type, { receiverId, messageId: foreign.message, ...rest }) }],
    [`${type} groupId`, { ask: (groupId) => asked(type, { groupId, messageId: foreign.groupMessage, ...rest }) }],
    [`${type} messageId`, { ask: (messageId) => asked(type, { receiverId: me.id, messageId, ...rest }) }],
  ]);
  const ofPaths = DEEDS_OVER_HTTP.flatMap(({ method, path, bodyOf }): [string, Row][] => {
    const ask = (conversation: string, messageId: string) =>
      sent(method.toUpperCase(), conversation + path.replace(':messageId', messageId).replace(':emoji', '%F0%9F%91%8D'), bodyOf(messageId));
    const [dialog, group] = [`${method} /dialogs/:userId${path}`, `${method} /groups/:groupId${path}`];
    return [
      [`${dialog} userId`, { ask: (userId) => ask(`/dialogs/${userId}`, foreign.message) }],
      [`${dialog} messageId`, { ask: (messageId) => ask(`/dialogs/${me.id}`, messageId) }],
      [`${group} groupId`, { ask: (groupId) => ask(`/groups/${groupId}`, foreign.groupMessage) }],
      [`${group} messageId`, { ask: async (messageId) => ask(`/groups/${await mine()}`, messageId) }],
    ];
  });
  return Object.fromEntries([...ofTypes, ...ofPaths]);
}

const ROWS: Record<string, Row> = {
  ...rowsOfDeeds(),
  'startTyping receiverId': { ask: (receiverId) => asked('startTyping', { receiverId }), except: ['user'] },
  'startTyping groupId': { ask: (groupId) => asked('startTyping', { groupId }) },
  'stopTyping receiverId': { ask: (receiverId) => asked('stopTyping', { receiverId }), except: ['user'] },
  'stopTyping groupId': { ask: (groupId) => asked('stopTyping', { groupId }) },
  'updateChat receiverId': { ask: (receiverId) => asked('updateChat', { receiverId, muted: true }) },
  'updateChat groupId': { ask: (groupId) => asked('updateChat', { groupId, muted: true }) },
  'patch /dialogs/:userId/chat userId': { ask: (userId) => sent('PATCH', `/dialogs/${userId}/chat`, { muted: true }) },
  'patch /groups/:groupId/chat groupId': { ask: (groupId) => sent('PATCH', `/groups/${groupId}/chat`, { muted: true }) },
  'getlatestMessageDialog receiverId': { ask: (receiverId) => asked('getlatestMessageDialog', { receiverId, ...NEWEST }) },
  'getlatestMessageGroup groupId': { ask: (groupId) => asked('getlatestMessageGroup', { groupId, ...NEWEST }) },
  'getMissed cursors receiverId': { ask: (receiverId) => asked('getMissed', { cursors: [{ receiverId, afterRev: 1 }], ...ALL }) },
  'getMissed cursors groupId': { ask: (groupId) => asked('getMissed', { cursors: [{ groupId, afterRev: 0 }], ...ALL }) },
  'privateMessage receiverId': {
    ask: (receiverId) => asked('privateMessage', { messageId: randomUUID(), receiverId, content: 'Hello' }),
    except: ['user'],
  },
  'privateMessage messageId': {
    // Somebody new each time: the answer tells how many messages the dialog has.
    ask: async (messageId) =>
      (await newPerson(server)).socket.request('privateMessage', { messageId, receiverId: foreign.user, content: 'Hello' }),
  },
  'messageInGroup groupId': { ask: (groupId) => asked('messageInGroup', { messageId: foreign.groupMessage, groupId, content: 'Hello' }) },
  'messageInGroup messageId': { ask: async (messageId) => asked('messageInGroup', { messageId, groupId: await mine(), content: 'Hello' }) },
  'privateMessage replyToId': {
    ask: (replyToId) => asked('privateMessage', { messageId: randomUUID(), receiverId: me.id, content: 'Hello', replyToId }),
  },
  'messageInGroup replyToId': {
    ask: async (replyToId) => asked('messageInGroup', { messageId: randomUUID(), groupId: await mine(), content: 'Hello', replyToId }),
  },
  'get /dialogs/:userId/messages userId': { ask: (userId) => sent('GET', `/dialogs/${userId}/messages`) },
  'post /dialogs/:userId/messages userId': { ask: (userId) => sent('POST', `/dialogs/${userId}/messages`, content()), except: ['user'] },
  'post /dialogs/:userId/messages messageId': {
    ask: async (messageId) => {
      const { token } = await newUser(server);
      const { status, body } = await call(server, 'POST', `/dialogs/${foreign.user}/messages`, {
        token,
        body: { ...content(), messageId },
      });
      return { status, body };
    },
  },
  'post /dialogs/:userId/messages replyToId': {
    ask: (replyToId) => sent('POST', `/dialogs/${me.id}/messages`, { ...content(), replyToId }),
  },
  'get /groups/:groupId/messages groupId': { ask: (groupId) => sent('GET', `/groups/${groupId}/messages`) },
  'post /groups/:groupId/messages groupId': { ask: (groupId) => sent('POST', `/groups/${groupId}/messages`, content()) },
  'post /groups/:groupId/messages messageId': {
    ask: async (messageId) => sent('POST', `/groups/${await mine()}/messages`, { ...content(), messageId }),
  },
  'post /groups/:groupId/messages replyToId': {
    ask: async (replyToId) => sent('POST', `/groups/${await mine()}/messages`, { ...content(), replyToId }),
  },
  'addUserInGroup groupId': { ask: (groupId) => asked('addUserInGroup', { groupId, userId: foreign.user, ...theirs() }) },
  'addUserInGroup userId': {
    ask: async (userId) => asked('addUserInGroup', { groupId: await mine(), userId, ...message() }),
    except: ['user'],
  },
  'addUserInGroup messageId': {
    ask: async (messageId) => asked('addUserInGroup', { groupId: await mine(), userId: foreign.user, messageId, message: 'Hello' }),
  },
  'leaveGroup groupId': { ask: (groupId) => asked('leaveGroup', { groupId, ...theirs() }) },
  'leaveGroup messageId': { ask: async (messageId) => asked('leaveGroup', { groupId: await mine(), messageId, message: 'Bye' }) },
  'dropGroup groupId': { ask: (groupId) => asked('dropGroup', { groupId }) },
  'newGroup messageId': { ask: (messageId) => asked('newGroup', { messageId, groupName: 'Friends' }) },
  'updateGroup groupId': { ask: (groupId) => asked('updateGroup', { groupId, groupName: 'Friends' }) },
  'removeUserFromGroup groupId': { ask: (groupId) => asked('removeUserFromGroup', { groupId, userId: foreign.user, ...theirs() }) },
  'removeUserFromGroup userId': {
    ask: async (userId) => asked('removeUserFromGroup', { groupId: await mine(), userId, ...message() }),
  },
  'removeUserFromGroup messageId': {
    ask: async (messageId) => {
      const member = await newUser(server);
      const groupId = await mine();
      await add(me, groupId, member);
      return asked('removeUserFromGroup', { groupId, userId: member.id, messageId, message: 'Bye' });
    },
  },
  'setGroupRole groupId': { ask: (groupId) => asked('setGroupRole', { groupId, userId: foreign.user, role: 'admin' }) },
  'setGroupRole userId': { ask: async (userId) => asked('setGroupRole', { groupId: await mine(), userId, role: 'admin' }) },
  'getGroupMembers groupId': { ask: (groupId) => asked('getGroupMembers', { groupId, limit: 10, cursor: null }) },
  'get /groups cursor': { ask: (cursor) => newcomer(`/groups?cursor=${cursor}`) },
  'get /groups/:groupId groupId': { ask: (groupId) => sent('GET', `/groups/${groupId}`) },
  'patch /groups/:groupId groupId': { ask: (groupId) => sent('PATCH', `/groups/${groupId}`, { groupName: 'Friends' }) },
  'delete /groups/:groupId groupId': { ask: (groupId) => sent('DELETE', `/groups/${groupId}`) },
  'get /groups/:groupId/members groupId': { ask: (groupId) => sent('GET', `/groups/${groupId}/members`) },
  'post /groups/:groupId/members groupId': {
    ask: (groupId) => sent('POST', `/groups/${groupId}/members`, { userId: foreign.user, ...theirs() }),
  },
  'post /groups/:groupId/members userId': {
    ask: async (userId) => sent('POST', `/groups/${await mine()}/members`, { userId, ...message() }),
    except: ['user'],
  },
  'post /groups/:groupId/members messageId': {
    ask: async (messageId) => sent('POST', `/groups/${await mine()}/members`, { userId: foreign.user, messageId, message: 'Hello' }),
  },
  'patch /groups/:groupId/members/:userId groupId': {
    ask: (groupId) => sent('PATCH', `/groups/${groupId}/members/${foreign.user}`, { role: 'admin' }),
  },
  'patch /groups/:groupId/members/:userId userId': {
    ask: async (userId) => sent('PATCH', `/groups/${await mine()}/members/${userId}`, { role: 'admin' }),
  },
  'delete /groups/:groupId/members/:userId groupId': {
    ask: (groupId) => sent('DELETE', `/groups/${groupId}/members/${foreign.user}`, theirs()),
  },
  'delete /groups/:groupId/members/:userId userId': {
    ask: async (userId) => sent('DELETE', `/groups/${await mine()}/members/${userId}`, message()),
  },
  'delete /groups/:groupId/members/:userId messageId': {
    ask: async (messageId) => sent('DELETE', `/groups/${await mine()}/members/${me.id}`, { messageId, message: 'Bye' }),
  },
  'searchMessages receiverId': { ask: (receiverId) => asked('searchMessages', { text: 'us', limit: 10, cursor: null, receiverId }) },
  'searchMessages groupId': { ask: (groupId) => asked('searchMessages', { text: 'us', limit: 10, cursor: null, groupId }) },
  'get /messages/search userId': { ask: (userId) => sent('GET', `/messages/search?text=us&userId=${userId}`) },
  'get /messages/search groupId': { ask: (groupId) => sent('GET', `/messages/search?text=us&groupId=${groupId}`) },
  'get /search/users groupId': { ask: (groupId) => sent('GET', `/search/users?searchText=example&groupId=${groupId}`) },
  'post /groups groupId': {
    ask: (groupId) => sent('POST', '/groups', { groupId, groupName: 'Friends', notificationMessage: 'created', messageId: randomUUID() }),
    except: ['group', 'droppedGroup', 'dialog'],
  },
  // By then they are groups of the caller.
  'newGroup groupId': {
    ask: (groupId) => asked('newGroup', { groupId, groupName: 'Friends' }),
    except: ['group', 'droppedGroup', 'dialog'],
  },
  'post /groups messageId': {
    ask: (messageId) => sent('POST', '/groups', { groupId: randomUUID(), groupName: 'Friends', notificationMessage: 'created', messageId }),
  },
  'delete /dialogs/:companionId companionId': { ask: (companionId) => sent('DELETE', `/dialogs/${companionId}`) },
  'post /use-cases/mark-as-deleted companionId': { ask: (companionId) => sent('POST', '/use-cases/mark-as-deleted', { companionId }) },
};

/** The fields of an operation that hold ids, in the objects of its lists too. */
function idsOf(name: string, params: z.ZodType): string[] {
  if (!(params instanceof z.ZodObject)) throw new Error(`${name} has params that are no object`);
  const isId = (schema: z.ZodType) => schema.safeParse(randomUUID()).success && !schema.safeParse('x'.repeat(36)).success;
  return Object.entries<z.ZodType>(params.shape).flatMap(([field, schema]) => {
    if (schema instanceof z.ZodArray && schema.element instanceof z.ZodObject) return idsOf(`${name} ${field}`, schema.element);
    return isId(schema) ? [`${name} ${field}`] : [];
  });
}

/** What the caller can tell answers apart by: all but the ids the caller chose, and times. */
const told = (answer: unknown): unknown =>
  JSON.parse(
    JSON.stringify(answer)
      .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, 'an id')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a time'),
  );

describe('an id of what exists and is not mine is answered as one that never was', () => {
  test('by every operation that takes an id', () => {
    const ofTypes = [...createRegistry(parseEnv({}))].flatMap(([type, { params }]) => idsOf(type, params));
    const ofPaths = createRoutes(parseEnv({})).flatMap(({ method, path, params }) => idsOf(`${method} ${path}`, params));
    expect(new Set(Object.keys(ROWS))).toEqual(new Set([...ofTypes, ...ofPaths]));
  });

  test.for(Object.entries(ROWS))('%s', async ([, { ask, except = [] }]) => {
    const unknown = told(await ask(randomUUID()));
    for (const kind of KINDS.filter((kind) => !except.includes(kind))) {
      expect({ kind, answer: told(await ask(foreign[kind])) }).toEqual({ kind, answer: unknown });
    }
  });

  test('who is in a group is not told to somebody who has left it, also not as the answer to a request of before', async () => {
    const owner = await newPerson(server);
    const [member, stranger] = [await newUser(server), await newUser(server)];
    const groupId = await newCircle(server, [owner, me]);
    const messageId = randomUUID();
    await add(me, groupId, member, messageId);
    await leave(me, groupId);
    const again = (userId: string) => asked('addUserInGroup', { groupId, userId, messageId, message: 'added' });
    for (const userId of [member.id, stranger.id, owner.id, randomUUID()]) {
      expect(await again(userId)).toMatchObject({ error: true, code: 'not_a_member' });
    }
  });
});
