import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBrowserInstalled, launchBrowser } from './support/browser.ts';
import { newUser, type TestUser } from './support/http.ts';
import { placeAt } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

/** Runs in the page: opens a socket, sends what is given, and tells all that happens until it closes or `frames` frames have come. */
async function visit({ protocols, send, frames }: { protocols: string[]; send: object[]; frames: number }) {
  const socket = new WebSocket(`ws://${location.host}/api/ws`, protocols);
  const seen: unknown[] = [];
  return new Promise<{ seen: unknown[]; protocol: string; close?: { code: number; reason: string; opened: boolean } }>((resolve) => {
    let opened = false;
    socket.onopen = () => {
      opened = true;
      document.title = 'open';
      for (const frame of send) socket.send(JSON.stringify(frame));
    };
    socket.onmessage = ({ data }) => {
      seen.push(JSON.parse(data));
      if (seen.length === frames) resolve({ seen, protocol: socket.protocol });
    };
    socket.onclose = ({ code, reason }) => resolve({ seen, protocol: socket.protocol, close: { code, reason, opened } });
  });
}

describe.skipIf(!isBrowserInstalled)('in a browser', () => {
  let browser: Browser;
  let server: TestServer;
  let ann: TestUser;
  let bob: TestUser;

  beforeAll(async () => {
    server = await startServer();
    [ann, bob] = [await newUser(server, 'Ann'), await newUser(server, 'Bob')];
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await server.app.stop();
  });

  async function openPage(): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(`${server.url}/api/`);
    return page;
  }

  test('new WebSocket(url, ["auth", token]) opens with the protocol auth, gets answers and broadcasts', async () => {
    const [messageId, answerId] = [randomUUID(), randomUUID()];
    const send = [{ type: 'privateMessage', params: { messageId, receiverId: bob.id, content: 'From a page' }, requestId: 7 }];
    const bobSocket = await connect(server, bob);
    const page = await openPage();
    const visited = page.evaluate(visit, { protocols: ['auth', ann.token], send, frames: 2 });
    expect(await bobSocket.broadcast('privateMessage')).toMatchObject({ messageId, message: 'From a page' });
    await bobSocket.ask('privateMessage', { messageId: answerId, receiverId: ann.id, content: 'To a page' });
    const { seen, protocol } = await visited;
    expect(protocol).toBe('auth');
    expect(seen[0]).toEqual({
      type: 'privateMessage',
      success: true,
      params: { item: null, data: null, isBroadcast: false, ...placeAt(1) },
      requestId: 7,
    });
    expect(seen[1]).toMatchObject({
      type: 'privateMessage',
      params: { item: { messageId: answerId, message: 'To a page', ...placeAt(2) }, isBroadcast: true },
    });
    await bobSocket.close();
  });

  test.for(['forged', ''])('a token that is "%s" opens the socket and closes it with 4001', async (token) => {
    const page = await openPage();
    const protocols = token === '' ? ['auth'] : ['auth', token];
    const { close, seen } = await page.evaluate(visit, { protocols, send: [], frames: 1 });
    expect(close).toEqual({ code: 4001, reason: 'Unauthorized', opened: true });
    expect(seen).toEqual([]);
  });

  test("a session that ends closes the page's socket with 4001", async () => {
    const user = await newUser(server);
    const page = await openPage();
    const visited = page.evaluate(visit, { protocols: ['auth', user.token], send: [], frames: 1 });
    await page.waitForFunction(() => document.title === 'open');
    await fetch(`${server.url}/api/profile`, { method: 'DELETE', headers: { authorization: `Bearer ${user.token}` } });
    expect((await visited).close).toMatchObject({ code: 4001, reason: 'Unauthorized' });
  });

  test('the documentation shows every path and tries one out, and has a page about the WebSocket, without an error in the console or a breach of its policy', async () => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${server.url}/`);
    expect(new URL(page.url()).pathname).toBe('/api/');
    await page.getByText('/api/auth/register', { exact: true }).first().waitFor();
    expect(await page.locator('.opblock').count()).toBeGreaterThanOrEqual(20);
    const probe = page.locator('.opblock', { hasText: '/health/live' });
    await probe.locator('.opblock-summary').click();
    await probe.getByText('Try it out').click();
    await probe.getByText('Execute', { exact: true }).click();
    await probe.locator('.live-responses-table').getByText('"live"').waitFor();
    await page.goto(`${server.url}/api/ws-docs/`);
    await page.getByRole('link', { name: 'getMissed' }).click();
    expect(await page.locator('#getMissed').getByText('changedSince', { exact: true }).first().isVisible()).toBe(true);
    expect(errors).toEqual([]);
  });

  test('the page about the WebSocket is no wider than a telephone', async () => {
    const page = await browser.newPage({ viewport: { width: 375, height: 667 } });
    await page.goto(`${server.url}/api/ws-docs/`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
  });
});
