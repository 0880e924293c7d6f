import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { query } from './support/database.ts';
import { call, logIn, newUser } from './support/http.ts';
import { startServer, type TestServer } from './support/server.ts';

const REFUSED = { message: 'No such user exists or wrong password', code: 'wrong_credentials' };
const refusal = z.object({ code: z.string(), errors: z.array(z.strictObject({ path: z.string(), message: z.string().min(1) })) });
const address = () => `${randomUUID()}@example.com`;

describe('registering and logging in', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  const register = (body: unknown) => call(server, 'POST', '/auth/register', { body });
  const logInWith = (email: string, password: string) => call(server, 'POST', '/auth/login', { body: { email, password } });
  const person = (changes: object = {}) => ({
    firstName: 'Ann',
    lastName: 'Archer',
    email: address(),
    password: 'correct horse',
    ...changes,
  });

  test.each(['/auth/register', '/auth/sing-up', '/auth/sign-up'])('%s makes an account, to which its password opens', async (path) => {
    const body = person();
    const registered = await call(server, 'POST', path, { body });
    expect(registered).toMatchObject({ status: 201, body: { message: expect.any(String) } });
    const { status, body: answer } = await logInWith(body.email, body.password);
    expect(status).toBe(200);
    expect(answer).toEqual({
      message: expect.any(String),
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      id: expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
      email: body.email,
      firstName: 'Ann',
      lastName: 'Archer',
    });
  });

  test.each([
    ['is left out', {}],
    ['is null', { lastName: null }],
  ])('a last name that %s is null', async (_what, given) => {
    const { lastName: _unused, ...body } = person();
    expect((await register({ ...body, ...given })).status).toBe(201);
    expect((await logInWith(body.email, body.password)).body).toMatchObject({ lastName: null });
  });

  test('the password is stored as nothing but a hash', async () => {
    const body = person({ password: 'nobody may read this' });
    await register(body);
    const rows = await query(server.databaseUrl, 'SELECT * FROM users WHERE email = $1', [body.email]);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(body.password);
  });

  test('an e-mail that is taken cannot be taken again, in whatever case, also by many at once', async () => {
    const email = `Taken.${address()}`;
    const attempts = [email, email.toUpperCase(), email.toLowerCase(), email, email.toUpperCase()];
    const answers = await Promise.all(attempts.map((email) => register(person({ email }))));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    const late = await register(person({ email: email.toLowerCase() }));
    expect(late).toMatchObject({ status: 409, body: { code: 'email_taken', message: expect.any(String) } });
  });

  test('the case of an e-mail does not matter when logging in', async () => {
    const user = await newUser(server);
    expect((await logIn(server, { ...user, email: user.email.toUpperCase() })).id).toBe(user.id);
  });

  test.each([
    ['a first name that is missing', { firstName: undefined }, 'firstName'],
    ['an empty first name', { firstName: '' }, 'firstName'],
    ['a first name of white space', { firstName: ' ' }, 'firstName'],
    ['a first name with white space before it', { firstName: ' Ann' }, 'firstName'],
    ['a first name with white space after it', { firstName: 'Ann\n' }, 'firstName'],
    ['a first name with white space inside', { firstName: 'Ann Lee' }, 'firstName'],
    ['a first name with a no-break space inside', { firstName: 'Ann\u00a0Lee' }, 'firstName'],
    ['a first name of 65 characters', { firstName: 'n'.repeat(65) }, 'firstName'],
    ['a first name with a NUL character', { firstName: 'A\0nn' }, 'firstName'],
    ['a first name with half a surrogate pair', { firstName: 'A\ud800' }, 'firstName'],
    ['a list as first name', { firstName: ['Ann'] }, 'firstName'],
    ['null as first name', { firstName: null }, 'firstName'],
    ['an empty last name', { lastName: '' }, 'lastName'],
    ['a last name with white space inside', { lastName: 'van Dyck' }, 'lastName'],
    ['a last name of 65 characters', { lastName: 'n'.repeat(65) }, 'lastName'],
    ['a list as last name', { lastName: ['Archer'] }, 'lastName'],
    ['an e-mail that is missing', { email: undefined }, 'email'],
    ['no e-mail address', { email: 'ann.example.com' }, 'email'],
    ['two e-mail addresses', { email: 'ann@example.com,bob@example.com' }, 'email'],
    ['an e-mail with white space', { email: ' ann@example.com' }, 'email'],
    ['an e-mail of 255 characters', { email: `${'a'.repeat(243)}@example.com` }, 'email'],
    ['a list as e-mail', { email: ['ann@example.com'] }, 'email'],
    ['an operator as e-mail', { email: { $ne: null } }, 'email'],
    ['a password that is missing', { password: undefined }, 'password'],
    ['a password of seven characters', { password: 'x'.repeat(7) }, 'password'],
    ['a password of seven emoji', { password: '🙂'.repeat(7) }, 'password'],
    ['a password of 73 bytes', { password: 'x'.repeat(73) }, 'password'],
    ['a password of 25 characters in 75 bytes', { password: '€'.repeat(25) }, 'password'],
    ['a password with a NUL character', { password: 'correct\0horse' }, 'password'],
    ['a number as password', { password: 1_234_567_890 }, 'password'],
    ['a list as password', { password: ['correct horse'] }, 'password'],
    ['a field nobody knows', { isAdmin: true }, 'isAdmin'],
  ])('%s is refused, by name of the field', async (_what, wrong, path) => {
    const { status, body } = await register(person(wrong));
    expect(status).toBe(400);
    const { code, errors } = refusal.parse(body);
    expect(code).toBe('invalid_params');
    expect([...new Set(errors.map((error) => error.path))]).toEqual([path]);
  });

  test.each(['__proto__', 'constructor', 'toString'])('a field with the name %s is unknown too, and changes nothing', async (name) => {
    const body = JSON.stringify(person()).replace('{', `{"${name}":{"isAdmin":true},`);
    expect(await register(body)).toMatchObject({ status: 400, body: { code: 'invalid_params' } });
    expect('isAdmin' in {}).toBe(false);
  });

  test('all that is wrong is told at once', async () => {
    const { body } = await register({ firstName: '', email: 'x', password: 'x' });
    expect(body).toMatchObject({ errors: [{ path: 'firstName' }, { path: 'email' }, { path: 'password' }] });
  });

  test.each([
    ['names of 64 characters', { firstName: 'n'.repeat(64), lastName: 'й'.repeat(64) }],
    ['a name of 64 emoji', { firstName: '🙂'.repeat(64) }],
    ['a name of one character', { firstName: '李' }],
    ['a password of eight emoji', { password: '🙂'.repeat(8) }],
    ['a password of 72 bytes', { password: '€'.repeat(24) }],
    ['a password with white space around it', { password: '  spaces  ' }],
  ])('%s will do', async (_what, given) => {
    const body = person(given);
    expect((await register(body)).status).toBe(201);
    expect((await logInWith(body.email, body.password)).status).toBe(200);
  });

  test('an e-mail of 254 characters will do', async () => {
    const email = `${randomUUID()}${'a'.repeat(206)}@example.com`;
    expect(email).toHaveLength(254);
    expect((await register(person({ email }))).status).toBe(201);
  });

  test('a longer password whose first 72 bytes match does not open', async () => {
    const password = 'x'.repeat(72);
    const { email } = person();
    await register(person({ email, password }));
    for (const wrong of [`${password}x`, `${password}${'y'.repeat(100)}`, password.slice(1)]) {
      expect(await logInWith(email, wrong)).toMatchObject({ status: 400, body: REFUSED });
    }
    expect((await logInWith(email, password)).status).toBe(200);
  });

  test.each([
    ['a list as e-mail', { email: ['ann@example.com'] }, 'email'],
    ['an operator as password', { password: { $ne: '' } }, 'password'],
    ['no password', { password: undefined }, 'password'],
    ['a field nobody knows', { remember: true }, 'remember'],
  ])('logging in with %s is refused, by name of the field', async (_what, wrong, path) => {
    const body = { email: address(), password: 'correct horse', ...wrong };
    expect(await call(server, 'POST', '/auth/login', { body })).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });

  test('two log-ins are two sessions, each with a token that works', async () => {
    const user = await newUser(server);
    const second = await logIn(server, user);
    expect(second.token).not.toBe(user.token);
    for (const { token } of [user, second]) expect((await call(server, 'GET', '/profile', { token })).status).toBe(200);
  });
});

describe('a log-in that fails', () => {
  test('does not tell a wrong password from an unknown e-mail, neither by the answer nor by the time it takes', async () => {
    // The cost of every server that sets no other.
    const server = await startServer({ BCRYPT_ROUNDS: '' });
    const { email } = await newUser(server);
    async function attempt(email: string): Promise<{ milliseconds: number; status: number; body: unknown }> {
      const start = performance.now();
      const { status, body } = await call(server, 'POST', '/auth/login', { body: { email, password: 'wrong horse' } });
      return { milliseconds: performance.now() - start, status, body };
    }
    const wrong: number[] = [];
    const unknown: number[] = [];
    // In turns, so that whatever else the machine does meanwhile slows down both.
    for (let round = 0; round < 21; round++) {
      const [first, second] = [await attempt(email), await attempt(address())];
      expect(first).toMatchObject({ status: 400, body: REFUSED });
      expect({ ...second, milliseconds: 0 }).toEqual({ ...first, milliseconds: 0 });
      wrong.push(first.milliseconds);
      unknown.push(second.milliseconds);
    }
    const median = (times: number[]) => times.toSorted((one, other) => one - other)[10] ?? 0;
    const ratio = median(unknown) / median(wrong);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
    await server.app.stop();
  });
});
