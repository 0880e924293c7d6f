import { ask, connect } from '../client.ts';
import { addConversations, addStrangers, dialogOf, settle } from '../data.ts';
import { duel, type Side } from '../duel.ts';
import type { Figure, Findings, Line } from '../figures.ts';
import { repeat, summarise } from '../samples.ts';
import type { Stage } from '../stage.ts';

const SMALL = 100;
const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const SIZES_QUICK = [1_000, 3_000];
/** Messages on a page. */
const LIMIT = 20;

interface Dialog {
  size: number;
  /** Reads a page at one end again and again. */
  newest: Side;
  oldest: Side;
}

/** One who reads pages at both ends of dialogs of different lengths. */
export async function history(stage: Stage): Promise<Findings> {
  const { seconds, quick } = stage.options;
  const dialogs = await openDialogs(stage, [SMALL, ...(quick ? SIZES_QUICK : SIZES)]);
  const [small, large] = [dialogs[0], dialogs.at(-1)];
  if (!small || !large) throw new Error('there are no dialogs');
  const figures: Figure[] = [];
  const lines: Line[] = [];
  for (const end of ['newest', 'oldest'] as const) {
    const line: Line = { chart: 'pages', name: `history, ${end} page`, points: [] };
    lines.push(line);
    for (const dialog of dialogs.slice(1, -1)) {
      stage.say(nameOf(dialog, end));
      line.points.push({ x: dialog.size, y: summarise([await dialog[end].load(seconds / 2)]).p50 });
    }
    const scenario = nameOf(large, end);
    stage.say(scenario);
    const [page, floor] = await duel(seconds, large[end], small[end]);
    line.points.push({ x: large.size, y: page.p50 });
    figures.push({ scenario, unit: 'p50 ms', value: page.p50, floor: floor.p50, required: { atMost: 1.5 }, ...page });
  }
  return { figures, lines };
}

const nameOf = ({ size }: Dialog, end: string): string => `history, ${end} page of ${size.toLocaleString('en')} messages`;

/** Writes dialogs of these sizes, all of one user's, and opens that user's connection. */
async function openDialogs(stage: Stage, sizes: number[]): Promise<Dialog[]> {
  const target = await stage.server();
  const client = await stage.connectDatabase();
  const [me] = await target.accounts(1);
  if (!me) throw new Error('no account was made');
  const companions = await addStrangers(client, sizes.length);
  for (const [index, companionId] of companions.entries()) {
    const size = sizes[index] ?? 0;
    stage.say(`writing ${size.toLocaleString('en')} messages`);
    await addConversations(client, [dialogOf(me.id, companionId)], size);
  }
  await settle(client);
  const socket = await connect(target.url, me);
  const side = (receiverId: string, cursorCreatedAt: Date | null): Side => ({
    target,
    load: (seconds) =>
      repeat(seconds, async () => {
        const rows = await ask(socket, 'getlatestMessageDialog', { receiverId, limit: LIMIT, cursorCreatedAt });
        if (rows.length !== LIMIT) throw new Error(`a page of ${rows.length} messages`);
      }),
  });
  const dialogs: Dialog[] = [];
  for (const [index, companionId] of companions.entries()) {
    const { rows } = await client.query<{ cursor: Date }>(
      'SELECT created_at AS cursor FROM messages WHERE conversation_id = $1 ORDER BY created_at OFFSET $2 LIMIT 1',
      [dialogOf(me.id, companionId).id, LIMIT],
    );
    dialogs.push({ size: sizes[index] ?? 0, newest: side(companionId, null), oldest: side(companionId, rows[0]?.cursor ?? null) });
  }
  return dialogs;
}
