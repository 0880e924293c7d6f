import { randomUUID } from 'node:crypto';
import { z } from 'zod';

/** What came back: `body` is the parsed JSON. */
export interface HttpAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

interface Options {
  body?: unknown;
  token?: string | undefined;
  headers?: Record<string, string>;
}

/** One REST request; `path` is below `/api`. */
export async function call(
  server: { url: string },
  method: string,
  path: string,
  { body, token, headers }: Options = {},
): Promise<HttpAnswer> {
  const response = await fetch(`${server.url}/api${path}`, {
    method,
    headers: {
      ...(body === undefined ? undefined : { 'content-type': 'application/json' }),
      ...(token === undefined ? undefined : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? undefined : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

/** A registered user who is logged in. */
export interface TestUser {
  id: string;
  token: string;
  email: string;
  password: string;
  firstName: string;
  lastName: string | null;
}

const loggedIn = z.object({ id: z.string(), token: z.string() });

export async function logIn(
  server: { url: string },
  { email, password }: { email: string; password: string },
): Promise<{ id: string; token: string }> {
  return loggedIn.parse((await call(server, 'POST', '/auth/login', { body: { email, password } })).body);
}

/** Registers somebody new and logs in, as clients do. */
export async function newUser(server: { url: string }, firstName = 'Ann', lastName: string | null = 'Example'): Promise<TestUser> {
  const email = `${randomUUID()}@example.com`;
  const password = 'correct horse';
  const answer = await call(server, 'POST', '/auth/register', { body: { firstName, lastName, email, password } });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return { ...(await logIn(server, { email, password })), email, password, firstName, lastName };
}

/** Creates a group and returns its id. */
export async function newGroup(server: { url: string }, owner: TestUser, groupName = 'Friends'): Promise<string> {
  const groupId = randomUUID();
  const body = { groupId, groupName, notificationMessage: 'created', messageId: randomUUID() };
  const answer = await call(server, 'POST', '/groups', { token: owner.token, body });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return groupId;
}
