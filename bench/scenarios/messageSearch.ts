import { ask, connect } from '../client.ts';
import { addConversations, addStrangers, COMMON_WORD, dialogOf, indexMessages, RARE_WORD, settle } from '../data.ts';
import { duel, type Side } from '../duel.ts';
import type { Figure, Findings } from '../figures.ts';
import { startBeside, withClient } from '../fill.ts';
import { repeat } from '../samples.ts';
import type { Stage } from '../stage.ts';

/** Messages that a database holds, and dialogs that they are in, all of one user. */
interface Size {
  messages: number;
  dialogs: number;
}

const SMALL = { messages: 1_000, dialogs: 20 };
const LARGE = { messages: 1_000_000, dialogs: 2_000 };
const LARGE_QUICK = { messages: 4_000, dialogs: 80 };
/** Messages on a page. */
const LIMIT = 20;

/** One who looks for words in all chats, among few messages and among many. */
export async function messageSearch(stage: Stage): Promise<Findings> {
  if (stage.options.url !== undefined) {
    stage.say('left out: few and many messages are in databases of their own');
    return { figures: [], lines: [] };
  }
  const size = stage.options.quick ? LARGE_QUICK : LARGE;
  const large = await searchAmong(stage, 'many', size);
  const small = await searchAmong(stage, 'few', SMALL);
  const figures: Figure[] = [];
  for (const [what, text, atMost] of [
    ['a word of 20 messages', RARE_WORD, 3],
    ['a word of half of all messages', COMMON_WORD, 5],
  ] as const) {
    const scenario = `search for ${what} among ${size.messages.toLocaleString('en')}`;
    stage.say(scenario);
    const [among, floor] = await duel(stage.options.seconds, large(text), small(text));
    figures.push({ scenario, unit: 'p50 ms', value: among.p50, floor: floor.p50, required: { atMost }, ...among });
  }
  return { figures, lines: [] };
}

/** Fills a database of its own with dialogs of one user, and returns what searches there. */
async function searchAmong(stage: Stage, name: string, { messages, dialogs }: Size): Promise<(text: string) => Side> {
  stage.say(`writing ${messages.toLocaleString('en')} messages`);
  const { target, databaseUrl } = await startBeside(stage, name);
  const [me] = await target.accounts(1);
  if (!me) throw new Error('no account was made');
  await withClient(databaseUrl, async (client) => {
    const companions = await addStrangers(client, dialogs);
    await addConversations(
      client,
      companions.map((companionId) => dialogOf(me.id, companionId)),
      messages / dialogs,
    );
    await settle(client);
    await indexMessages(client);
  });
  const socket = await connect(target.url, me);
  const find = async (text: string) => {
    const rows = await ask(socket, 'searchMessages', { text, limit: LIMIT, cursor: null });
    if (rows.length !== LIMIT) throw new Error(`${rows.length} messages were found`);
  };
  return (text) => ({ target, load: (seconds) => repeat(seconds, () => find(text)) });
}
