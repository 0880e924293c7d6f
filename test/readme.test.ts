import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseEnv } from '../src/env.ts';
import { ERRORS } from '../src/errors.ts';
import { createRoutes } from '../src/http/routes.ts';
import { createRegistry } from '../src/ws/registry.ts';
import { isBrowserInstalled, launchBrowser } from './support/browser.ts';
import { logIn } from './support/http.ts';
import { block, section } from './support/markdown.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const exec = promisify(execFile);
const readme = await readFile('README.md', 'utf8');

describe('the README', () => {
  let server: TestServer;
  let setup: string;
  let curled: string;
  const run = async (commands: string) => (await exec('bash', ['-euc', commands])).stdout;
  beforeAll(async () => {
    server = await startServer();
    setup = block(section(readme, 'A tour of five minutes'), 'sh').replaceAll('http://localhost:3001', server.url);
    curled = await run(setup);
  });
  afterAll(() => server.app.stop());

  const account = (name: string) => ({ email: `${name}@example.com`, password: 'correct horse' });

  test('registers two users with curl and logs them in as it says', () => {
    expect(curled).toContain('Registered');
    expect(curled.match(/"token":"[^"]+","id":"[^"]+"/g)).toHaveLength(2);
  });

  test.skipIf(!isBrowserInstalled)('sends a message from a browser console as it says', async () => {
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      const lines: string[] = [];
      const received = new Promise<void>((resolve) => {
        page.on('console', (message) => {
          lines.push(message.text());
          if (lines.length === 2) resolve();
        });
      });
      await page.goto(`${server.url}/api/`);
      await page.evaluate(`(async () => { ${block(readme, 'js')} })()`);
      await received;
      expect(lines.find((line) => line.startsWith('Bob received'))).toContain('"message":"Hello, Bob"');
      expect(lines.find((line) => line.startsWith('Ann received'))).toContain('"isBroadcast":false');
    } finally {
      await browser.close();
    }
  });

  test('sends a message with the header and the frame that it gives for Postman; sent again it arrives no second time', async () => {
    const [ann, bob] = [await logIn(server, account('ann')), await logIn(server, account('bob'))];
    const [annSocket, bobSocket] = [await connect(server, ann), await connect(server, bob)];
    const { type, params } = z
      .object({ type: z.string(), params: z.unknown() })
      .parse(JSON.parse(block(readme, 'json').replace("BOB'S ID", bob.id)));
    const first = await annSocket.ask(type, params);
    expect(await bobSocket.broadcast('privateMessage')).toMatchObject({ message: 'Hello from Postman' });
    expect(await annSocket.ask(type, params)).toEqual(first);
    await bobSocket.settle();
    expect(bobSocket.broadcasts).toHaveLength(1);
  });

  test('sends a message and reads page after page over HTTP as it says', async () => {
    const [ann, bob] = [await logIn(server, account('ann')), await logIn(server, account('bob'))];
    const bobSocket = await connect(server, bob);
    await bobSocket.ask('privateMessage', { messageId: randomUUID(), receiverId: ann.id, content: 'The one before' });
    const commands = block(section(readme, 'The same over HTTP'), 'sh').replace("ANN'S TOKEN", ann.token).replace("BOB'S ID", bob.id);
    const variables = setup.split('\n').filter((line) => /^\w+=/.test(line));
    const answersWith = async (cursor: string) => {
      const answers = await run([...variables, commands.replace('THE LAST nextCursor', cursor)].join('\n'));
      return z
        .array(z.object({ data: z.unknown(), nextCursor: z.string().optional() }))
        .parse(JSON.parse(`[${answers.replaceAll('}{', '},{')}]`));
    };
    const [sent, newest] = await answersWith(new Date().toISOString());
    expect(await bobSocket.broadcast('privateMessage')).toMatchObject({ message: 'Hello over HTTP' });
    expect(sent).toMatchObject({ data: { seq: expect.any(Number) } });
    expect(newest).toMatchObject({ data: [{ content: 'Hello over HTTP' }] });
    const [, , next] = await answersWith(newest?.nextCursor ?? '');
    expect(next).toMatchObject({ data: [{ content: 'The one before' }] });
  });

  test('has every path of the chats below the same heading', () => {
    const text = section(readme, 'The same over HTTP');
    const paths = createRoutes(parseEnv({})).map(({ path }) => path.replace(/^\/(dialogs\/:userId|groups\/:groupId)\/(?!members)/, '…/'));
    const ofChats = paths
      .filter((path) => /^(…|\/(chats|dialogs|groups|messages)\b)/.test(path))
      .map((path) => path.replace('companionId', 'userId'));
    expect(ofChats.length).toBeGreaterThan(20);
    for (const path of ofChats) expect(text).toContain(`\`${path}\``);
  });

  test('names every error code with its HTTP status, and every request type', () => {
    for (const [code, { status }] of Object.entries(ERRORS)) expect(readme).toMatch(new RegExp(`\`${code}\`[^|]*\\| ${status} \\|`));
    for (const type of createRegistry(parseEnv({})).keys()) expect(readme).toContain(`| \`${type}\` |`);
  });

  test('names only files that exist, and every npm command', async () => {
    const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(await readFile('package.json', 'utf8')));
    for (const name of Object.keys(scripts).filter((name) => !/^(pre|post)/.test(name)))
      expect(readme).toMatch(new RegExp(`\`npm (run )?${name}\\b`));
    const [, table = ''] = readme.split('## Where to find what');
    const files = [...table.matchAll(/`((?:src|migrations|test)\/[\w./-]+)`/g)].map(([, file]) => file ?? '');
    expect(files.length).toBeGreaterThan(8);
    const { stdout } = await exec('ls', ['-d', ...files]);
    expect(stdout.trim().split('\n')).toHaveLength(new Set(files).size);
  });
});
