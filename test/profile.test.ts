import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { call, logIn, newUser } from './support/http.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const UNAUTHORIZED = { code: 4001, reason: 'Unauthorized' };
const found = z.object({ data: z.array(z.looseObject({ userId: z.string().nullable() })) });

describe('my profile', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  const profile = async (token: string) => (await call(server, 'GET', '/profile', { token })).body;
  const rename = (token: string, body: unknown, path = '/profile') => call(server, 'PATCH', path, { token, body });
  async function idsFound(token: string, searchText: string): Promise<(string | null)[]> {
    const answer = await call(server, 'GET', `/search?${new URLSearchParams({ searchText, limit: '100' })}`, { token });
    return found.parse(answer.body).data.map(({ userId }) => userId);
  }

  test('says who I am, and nothing else', async () => {
    const { id, token, email } = await newUser(server, 'Ann', 'Archer');
    expect(await profile(token)).toEqual({ data: { id, email, firstName: 'Ann', lastName: 'Archer' } });
  });

  test('says that there is no last name with null', async () => {
    const { token } = await newUser(server, 'Ann', null);
    expect(await profile(token)).toMatchObject({ data: { lastName: null } });
  });

  test.each(['/profile', '/profile/update'])('changes by PATCH %s what is given, and keeps the rest', async (path) => {
    const { token } = await newUser(server, 'Ann', 'Archer');
    expect(await rename(token, { firstName: 'Anna' }, path)).toMatchObject({ status: 200, body: { message: expect.any(String) } });
    expect(await profile(token)).toMatchObject({ data: { firstName: 'Anna', lastName: 'Archer' } });
    await rename(token, { lastName: 'Baker' }, path);
    expect(await profile(token)).toMatchObject({ data: { firstName: 'Anna', lastName: 'Baker' } });
    await rename(token, { lastName: null }, path);
    expect(await profile(token)).toMatchObject({ data: { firstName: 'Anna', lastName: null } });
    expect((await rename(token, {}, path)).status).toBe(200);
    expect(await profile(token)).toMatchObject({ data: { firstName: 'Anna', lastName: null } });
  });

  test.each([
    ['an empty first name', { firstName: '' }, 'firstName'],
    ['white space in a first name', { firstName: 'Ann Lee' }, 'firstName'],
    ['no first name', { firstName: null }, 'firstName'],
    ['a list as last name', { lastName: ['x'] }, 'lastName'],
    ['another e-mail', { email: 'other@example.com' }, 'email'],
    ['another id', { firstName: 'Anna', id: '00000000-0000-4000-8000-000000000000' }, 'id'],
  ])('does not take %s, and then changes nothing', async (_what, body, path) => {
    const { token } = await newUser(server, 'Ann', 'Archer');
    const before = await profile(token);
    expect(await rename(token, body)).toMatchObject({ status: 400, body: { code: 'invalid_params', errors: [{ path }] } });
    expect(await profile(token)).toEqual(before);
  });

  test('is found under the new name at once, and no longer under the old one', async () => {
    const [searcher, user] = [await newUser(server), await newUser(server, 'Wilhelmina', 'Oldbury')];
    expect(await idsFound(searcher.token, 'oldbury')).toEqual([user.id]);
    await rename(user.token, { lastName: 'Newport' });
    expect(await idsFound(searcher.token, 'oldbury')).toEqual([]);
    for (const text of ['newport', 'wilhelmina newport', user.email]) expect(await idsFound(searcher.token, text)).toEqual([user.id]);
  });

  test('is found under both names when they are changed at the same moment', async () => {
    const searcher = await newUser(server);
    for (let round = 0; round < 10; round++) {
      const user = await newUser(server, 'Before', 'Before');
      const names = { firstName: `First${round}x`, lastName: `Last${round}x` };
      await Promise.all([rename(user.token, { firstName: names.firstName }), rename(user.token, { lastName: names.lastName })]);
      expect(await profile(user.token)).toMatchObject({ data: names });
      expect(await idsFound(searcher.token, `${names.firstName} ${names.lastName}`)).toEqual([user.id]);
    }
    expect(await idsFound(searcher.token, 'before')).toEqual([]);
  });

  test('does not come back when it is changed at the moment of its deletion', async () => {
    const searcher = await newUser(server);
    for (let round = 0; round < 10; round++) {
      const { token, email } = await newUser(server);
      const renames = ['One', 'Two'].map((name) => rename(token, { firstName: `Zombie${name}` }));
      await Promise.all([...renames, call(server, 'DELETE', '/profile', { token })]);
      expect(await idsFound(searcher.token, 'zombie')).toEqual([]);
      expect(await idsFound(searcher.token, email)).toEqual([]);
    }
  });
});

describe('my password', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  const change = (token: string, oldPassword: unknown, newPassword: unknown, path = '/profile/password') =>
    call(server, 'PATCH', path, { token, body: { oldPassword, newPassword } });
  const logInWith = async (email: string, password: string) =>
    (await call(server, 'POST', '/auth/login', { body: { email, password } })).status;

  test.each(['/profile/password', '/profile/change-password'])('when changed by %s is the only one that opens', async (path) => {
    const { token, email, password } = await newUser(server);
    expect(await change(token, password, 'a new password', path)).toMatchObject({ status: 200, body: { message: expect.any(String) } });
    expect(await logInWith(email, password)).toBe(400);
    expect(await logInWith(email, 'a new password')).toBe(200);
  });

  test('when changed ends my other sessions at once, with their connections, and keeps this one', async () => {
    const user = await newUser(server);
    const other = await logIn(server, user);
    const mine = [await connect(server, user), await connect(server, user)];
    const others = [await connect(server, other), await connect(server, other)];
    const ends = others.map((socket) => socket.closed());
    expect((await change(user.token, user.password, 'a new password')).status).toBe(200);
    expect(await Promise.all(ends)).toEqual([UNAUTHORIZED, UNAUTHORIZED]);
    expect((await call(server, 'GET', '/profile', { token: other.token })).status).toBe(401);
    await expect(connect(server, other)).rejects.toThrow('401');
    expect((await call(server, 'GET', '/profile', user)).status).toBe(200);
    for (const socket of mine) await socket.settle();
    expect((await change(user.token, 'a new password', user.password)).status).toBe(200);
  });

  test('stays as it is when the old one is wrong, and no session ends', async () => {
    const user = await newUser(server);
    const other = await logIn(server, user);
    const socket = await connect(server, other);
    for (const wrong of ['wrong horse', `${user.password} `, '', 'x'.repeat(100)]) {
      expect(await change(user.token, wrong, 'a new password')).toMatchObject({ status: 400, body: { code: 'wrong_password' } });
    }
    await socket.settle();
    expect(await logInWith(user.email, user.password)).toBe(200);
    expect(await logInWith(user.email, 'a new password')).toBe(400);
  });

  test.each([
    ['seven characters', 'x'.repeat(7)],
    ['more than 72 bytes', '€'.repeat(25)],
    ['a list', ['a new password']],
    ['nothing', undefined],
  ])('cannot become %s', async (_what, newPassword) => {
    const { token, email, password } = await newUser(server);
    expect(await change(token, password, newPassword)).toMatchObject({
      status: 400,
      body: { code: 'invalid_params', errors: [{ path: 'newPassword' }] },
    });
    expect(await logInWith(email, password)).toBe(200);
  });

  test('changed twice at once is one of the two, and the change that failed says so', async () => {
    const user = await newUser(server);
    const other = await logIn(server, user);
    const passwords = ['first new password', 'second new password'];
    const changes = await Promise.all([user, other].map(({ token }, index) => change(token, user.password, passwords[index])));
    const won = changes.map(({ status }) => status === 200);
    expect(won.filter(Boolean)).toHaveLength(1);
    for (const [index, password] of passwords.entries()) expect(await logInWith(user.email, password)).toBe(won[index] ? 200 : 400);
  });
});
