import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Account } from './client.ts';

const loggedIn = z.object({ token: z.string(), id: z.string() });

const PASSWORD = 'correct horse';
/** Accounts that are made at once: no more than hashes may wait. */
const AT_ONCE = 50;

/** Somebody who can log in. */
export interface Credentials {
  email: string;
  password: string;
}

/** Posts JSON and resolves with the answer's; rejects when the server does not accept it. */
export async function post(url: string, body: object, token?: string): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status} ${await response.text()}`);
  return response.json();
}

/** Registers somebody new. */
export async function register(url: string): Promise<Credentials> {
  const email = `${randomUUID()}@example.com`;
  await post(`${url}/api/auth/register`, { firstName: 'Bench', lastName: 'Mark', email, password: PASSWORD });
  return { email, password: PASSWORD };
}

/** Logs in. */
export async function logIn(url: string, credentials: Credentials): Promise<Account> {
  return loggedIn.parse(await post(`${url}/api/auth/login`, credentials));
}

/** Registers people and logs them in. */
export async function createAccounts(url: string, count: number): Promise<Account[]> {
  const accounts: Account[] = [];
  while (accounts.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - accounts.length) }, async () => logIn(url, await register(url)));
    accounts.push(...(await Promise.all(some)));
  }
  return accounts;
}
