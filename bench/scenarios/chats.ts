import { ask, connect } from '../client.ts';
import { addConversations, addStrangers, dialogOf, groupOf, settle } from '../data.ts';
import { duel, type Side } from '../duel.ts';
import type { Findings, Line } from '../figures.ts';
import { startBeside, withClient } from '../fill.ts';
import { repeat, summarise } from '../samples.ts';
import type { Stage } from '../stage.ts';

/** Messages that a database holds, and chats that one user has, who is in all of them. */
interface Size {
  messages: number;
  chats: number;
}

const SMALL = { messages: 1_000, chats: 13 };
const STEPS = [SMALL, { messages: 10_000, chats: 100 }, { messages: 100_000, chats: 500 }, { messages: 1_000_000, chats: 2_000 }];
const STEPS_QUICK = [SMALL, { messages: 4_000, chats: 50 }];
/** Chats on a page. */
const LIMIT = 20;
/** One chat in so many is a group, of so many people. */
const GROUP_EVERY = 10;
const GROUP_SIZE = 20;

/** One who reads the newest page of the chat list while chats and messages grow; in turn with one who has few. */
export async function chats(stage: Stage): Promise<Findings> {
  const few = await openReader(stage, 'few');
  await few.grow(SMALL);
  const many = await openReader(stage, 'many');
  const line: Line = { chart: 'pages', name: 'chat list', points: [] };
  let scenario = '';
  for (const size of stage.options.quick ? STEPS_QUICK : STEPS) {
    scenario = `chat list of ${size.chats.toLocaleString('en')} chats among ${size.messages.toLocaleString('en')} messages`;
    await many.grow(size);
    stage.say(scenario);
    line.points.push({ x: size.messages, y: summarise([await many.load(stage.options.seconds / 2)]).p50 });
  }
  const [page, floor] = await duel(stage.options.seconds, many, few);
  return {
    figures: [{ scenario, unit: 'p50 ms', value: page.p50, floor: floor.p50, required: { atMost: 5 }, ...page }],
    lines: [line],
  };
}

/** Starts a server on a database of its own for somebody who reads the chat list there, and whose chats can be made more. */
async function openReader(stage: Stage, name: string): Promise<Side & { grow: (to: Size) => Promise<void> }> {
  const { target, databaseUrl } = await startBeside(stage, name);
  const [me] = await target.accounts(1);
  if (!me) throw new Error('no account was made');
  const socket = await connect(target.url, me);
  let has: Size = { messages: 0, chats: 0 };
  return {
    target,
    load: (seconds) =>
      repeat(seconds, async () => {
        const rows = await ask(socket, 'listLastMessage', { limit: LIMIT, cursorCreatedAt: null });
        if (rows.length !== Math.min(LIMIT, has.chats)) throw new Error(`a page of ${rows.length} chats`);
      }),
    async grow(to) {
      stage.say(`writing ${to.messages.toLocaleString('en')} messages`);
      const count = to.chats - has.chats;
      const messagesEach = Math.ceil((to.messages - has.messages) / count);
      has = to;
      await withClient(databaseUrl, async (client) => {
        const companions = await addStrangers(client, count);
        const others = companions.slice(0, GROUP_SIZE - 1);
        const conversations = companions.map((companionId, index) =>
          index % GROUP_EVERY === 0
            ? groupOf([me.id, companionId, ...others.filter((id) => id !== companionId)])
            : dialogOf(me.id, companionId),
        );
        await addConversations(client, conversations, messagesEach);
        await settle(client);
      });
    },
  };
}
