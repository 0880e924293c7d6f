import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import jwt from 'jsonwebtoken';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseEnv } from '../src/env.ts';
import { createRegistry } from '../src/ws/registry.ts';
import { query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { call, logIn, newGroup, type TestUser } from './support/http.ts';
import { holdLock } from './support/lock.ts';
import { newOthers, REQUESTS, type Scene, setScene } from './support/scene.ts';
import { JWT_SECRET, startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const UNAUTHORIZED = { code: 4001, reason: 'Unauthorized' };
const TYPES = [...createRegistry(parseEnv({})).keys()];

/** All that requests could change. */
const stateOf = ({ databaseUrl }: TestServer) =>
  query(
    databaseUrl,
    `SELECT (SELECT array_agg(content ORDER BY content) FROM messages) AS messages, (SELECT array_agg(role ORDER BY role) FROM members) AS members,
      (SELECT array_agg(name ORDER BY name) FROM conversations) AS names,
      (SELECT count(*) FROM reactions) AS reactions,
      (SELECT count(deleted_at) FROM conversations) AS dropped`,
  );

/** A valid request of the owner. */
function requestIn(scene: Scene, type: string): object {
  const params = REQUESTS[type]?.(scene);
  if (!params) throw new Error(`${type} has no request in test/support/scene.ts`);
  return { type, params, requestId: type };
}

/** A connection of the owner for each type, each around a group of its own. */
async function connections(server: TestServer, tokenOf = ({ token }: TestUser) => token) {
  const others = await newOthers(server);
  const scenes: { type: string; scene: Scene }[] = [];
  // All at once would be more registrations than a busy machine takes.
  for (const type of TYPES) scenes.push({ type, scene: await setScene(server, others) });
  const open = [];
  for (const { type, scene } of scenes) {
    const socket = await connect(server, { token: tokenOf(scene.owner) });
    open.push({ type, scene, socket, closed: socket.closed() });
  }
  return open;
}

/** Ends every session of the user but the one it is done with. */
async function endOtherSessions(server: TestServer, user: TestUser): Promise<void> {
  const { token } = await logIn(server, user);
  const body = { oldPassword: user.password, newPassword: 'another password' };
  expect((await call(server, 'PATCH', '/profile/password', { token, body })).status).toBe(200);
}

test('an open connection whose token has expired does nothing more, whatever it asks', async () => {
  const server = await startServer();
  let exp = 0;
  const open = await connections(server, ({ token }) => {
    exp = Math.ceil(Date.now() / 1000) + 5;
    return jwt.sign({ ...z.looseObject({}).parse(jwt.decode(token)), exp }, JWT_SECRET);
  });
  const before = await stateOf(server);
  await eventually(() => expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000));
  for (const { type, scene, socket, closed } of open) {
    socket.send(requestIn(scene, type));
    expect({ type, closed: await closed, frames: socket.frames }).toEqual({ type, closed: UNAUTHORIZED, frames: [] });
  }
  await server.app.stop();
  expect(await stateOf(server)).toEqual(before);
});

test('an open connection whose session was ended does nothing more, whatever it asks', async () => {
  const server = await startServer();
  const open = await connections(server);
  const before = await stateOf(server);
  for (const { type, scene, socket, closed } of open) {
    // The client does not see yet that it is being closed, and goes on.
    socket.socket.pause();
    await endOtherSessions(server, scene.owner);
    socket.send(requestIn(scene, type));
    socket.socket.resume();
    expect({ type, closed: await closed, frames: socket.frames }).toEqual({ type, closed: UNAUTHORIZED, frames: [] });
  }
  await server.app.stop();
  expect(await stateOf(server)).toEqual(before);
});

test('what waits for its turn when the session ends is not done any more, whatever it is', async () => {
  const server = await startServer();
  const open = await connections(server);
  const others = await Promise.all(open.map(({ scene }) => newGroup(server, scene.owner)));
  const before = await stateOf(server);
  for (const [index, { type, scene, socket, closed }] of open.entries()) {
    const groupId = others[index];
    const lock = await holdLock(server.databaseUrl, 'SELECT FROM conversations WHERE id = $1 FOR UPDATE', [groupId]);
    // It changes who is in a group, so the rest waits for it. In the end it is refused, and stores nothing.
    const params = { groupId, userId: scene.owner.id, messageId: randomUUID(), message: 'added' };
    socket.send({ type: 'addUserInGroup', params });
    await lock.awaited(1);
    socket.send(requestIn(scene, type));
    const received = once(socket.socket, 'pong');
    socket.socket.ping();
    await received;
    await endOtherSessions(server, scene.owner);
    await lock.release();
    expect({ type, closed: await closed, frames: socket.frames }).toEqual({ type, closed: UNAUTHORIZED, frames: [] });
  }
  await server.app.stop();
  expect(await stateOf(server)).toEqual(before);
});
