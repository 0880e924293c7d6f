import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBrowserInstalled, launchBrowser } from './support/browser.ts';
import { eventually } from './support/eventually.ts';
import { FaultyServer } from './support/faultyServer.ts';
import { block } from './support/markdown.ts';
import { newPerson, write } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

const example = block(await readFile('README.md', 'utf8'), 'ts');

/** Serves the built client beside an empty page, as anybody might. */
const files = createServer(async ({ url = '' }, response) => {
  const isModule = url.endsWith('.js');
  const content = isModule ? await readFile(path.join('dist/client', path.basename(url))) : '<!doctype html>';
  response.writeHead(200, { 'content-type': isModule ? 'text/javascript' : 'text/html' }).end(content);
});

describe.skipIf(!isBrowserInstalled)('The built client in a browser', () => {
  let browser: Browser;
  let server: TestServer;
  let origin: string;

  beforeAll(async () => {
    server = await startServer();
    browser = await launchBrowser();
    await once(files.listen(0, '127.0.0.1'), 'listening');
    const address = files.address();
    if (!address || typeof address === 'string') throw new Error('the files have no port');
    origin = `http://127.0.0.1:${address.port}`;
  });
  afterAll(async () => {
    await browser.close();
    files.close();
    await server.app.stop();
  });

  test('does what the README says from a page of another origin, and after a reload goes on where it was', async () => {
    const [ann, bob] = [await newPerson(server, 'Ann'), await newPerson(server, 'Bob')];
    await ann.socket.close();
    const content = example
      .replace('messenger-client', '/client/index.js')
      .replace('ann@example.com', ann.email)
      .replaceAll('localhost:3001', new URL(server.url).host);
    const page = await browser.newPage();
    const lines: string[] = [];
    page.on('console', (message) => lines.push(message.text()));
    await page.goto(`${origin}/`);
    await page.addScriptTag({ type: 'module', content });
    await eventually(() => expect(lines).toContain('stored as number 1'));
    await write(bob, ann, 'Hello, Ann');
    await eventually(() => expect(lines).toContain(`${bob.id} Bob Hello, Ann`));
    await page.reload();
    await write(bob, ann, 'Welcome back');
    await page.addScriptTag({ type: 'module', content });
    await eventually(() => expect(lines).toContain('stored as number 2'));
    await eventually(() => expect(lines).toContain(`${bob.id} Bob Welcome back`));
    expect(lines.filter((line) => line.startsWith(`${bob.id} Bob Hello`))).toHaveLength(1);
    expect(lines.filter((line) => line === `${ann.id} I A note to myself`)).toHaveLength(2);
  });

  test('connects at once when there is a network again, and when its user returns to the page', async () => {
    const wire = await new FaultyServer().listen();
    const page = await browser.newPage();
    const lines: string[] = [];
    page.on('console', (message) => lines.push(message.text()));
    await page.goto(`${origin}/`);
    const options = { url: wire.url, userId: wire.userId, token: 'token', timings: { firstWait: 1_000_000, longestWait: 1_000_000 } };
    const content = `
      import { MessengerClient } from '/client/index.js';
      const client = new MessengerClient(${JSON.stringify(options)});
      for (const name of ['status', 'disconnected']) client.on(name, (event) => console.log(event.code ?? event));`;
    await page.addScriptTag({ type: 'module', content });
    await eventually(() => expect(lines.at(-1)).toBe('online'));
    for (const event of ["window.dispatchEvent(new Event('online'))", "document.dispatchEvent(new Event('visibilitychange'))"]) {
      wire.cut(1012);
      await eventually(() => expect(lines.at(-1)).toBe('1012'));
      await page.evaluate(event);
      await eventually(() => expect(lines.at(-1)).toBe('online'));
    }
    await page.close();
    await wire.stop();
  });
});
