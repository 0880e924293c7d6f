import { z } from 'zod';
import { type Person, readAll } from './people.ts';

const place = z.object({ companionId: z.string().nullable(), groupId: z.string().nullable() });
const cursor = z.union([
  z.strictObject({ receiverId: z.string(), afterRev: z.int() }),
  z.strictObject({ groupId: z.string(), afterRev: z.int() }),
]);
const numbers = { seq: z.int(), rev: z.int() };
const row = z.looseObject({ ...place.shape, messageId: z.string(), ...numbers });
const chat = z.looseObject({
  ...numbers,
  senderId: z.string(),
  receiverId: z.string().nullable(),
  groupId: z.string().nullable(),
});

/** The item of an answer to `getMissed`. */
export const missedItem = z.strictObject({
  more: z.array(cursor),
  reset: z.array(z.strictObject({ ...place.shape, ...numbers })),
  gone: z.array(place.strict()),
  cleared: z.array(z.strictObject({ companionId: z.string(), seq: z.int() })),
  chats: z.array(chat),
  moreChats: z.boolean(),
  changedSince: z.iso.datetime({ precision: 3 }),
});

type Row = z.output<typeof row>;
type Cursor = z.output<typeof cursor>;

interface Copy {
  rev: number;
  rows: Map<string, Row>;
}

const nameOf = ({ companionId, groupId }: z.output<typeof place>) => (groupId === null ? `dialog ${companionId}` : `group ${groupId}`);
const cursorOf = (name: string, afterRev: number): Cursor => {
  const [kind, id = ''] = name.split(' ');
  return kind === 'group' ? { groupId: id, afterRev } : { receiverId: id, afterRev };
};

/** What a client keeps of its user's conversations: it learns nothing but by `getMissed`, and by histories where that says so. */
export class Replica {
  readonly person: Person;
  /** By `dialog <the other person>` or `group <id>`. */
  readonly conversations = new Map<string, Copy>();
  #changedSince = '1970-01-01T00:00:00.000Z';

  constructor(person: Person) {
    this.person = person;
  }

  /** Asks until nothing is left to ask for, `limit` rows at a time; returns all rows that came, in their order. */
  async catchUp(limit: number): Promise<Row[]> {
    const seen: Row[] = [];
    let cursors = [...this.conversations].map(([name, { rev }]) => cursorOf(name, rev));
    let changedSince: string | null = this.#changedSince;
    while (cursors.length > 0 || changedSince !== null) {
      const params = await this.person.socket.ask('getMissed', { cursors, changedSince, limit });
      const item = missedItem.parse(params.item);
      const rows = z.array(row).max(limit).parse(params.data);
      seen.push(...rows);
      this.#forget(item);
      for (const one of rows) this.#put(one);
      for (const one of item.reset) await this.#readAnew(one);
      cursors = [...item.more, ...item.chats.flatMap((one) => this.#meet(one))];
      if (changedSince !== null) this.#changedSince = item.changedSince;
      changedSince = item.moreChats ? item.changedSince : null;
    }
    return seen;
  }

  /** The messages that it has of each conversation in which it has any, by `seq`. */
  get contents(): Map<string, unknown[]> {
    const held = [...this.conversations].filter(([, { rows }]) => rows.size > 0);
    return new Map(held.map(([name, { rows }]) => [name, [...rows.values()].sort((one, other) => one.seq - other.seq).map(essenceOf)]));
  }

  #forget({ gone, cleared }: z.output<typeof missedItem>): void {
    for (const one of gone) this.conversations.delete(nameOf(one));
    for (const { companionId, seq } of cleared) {
      const { rows } = this.#copyOf(nameOf({ companionId, groupId: null }));
      for (const [id, one] of rows) if (one.seq <= seq) rows.delete(id);
    }
  }

  #put(one: Row): void {
    const copy = this.#copyOf(nameOf(one));
    copy.rows.set(one.messageId, one);
    copy.rev = one.rev;
  }

  async #readAnew(reset: z.output<typeof missedItem>['reset'][number]): Promise<void> {
    const copy = this.#copyOf(nameOf(reset));
    const rows = await historyOf(this.person, nameOf(reset));
    copy.rows = new Map(rows.map((one) => [one.messageId, { ...one, ...reset, seq: one.seq, rev: one.rev }]));
    copy.rev = reset.rev;
  }

  /** A chat that was not named: what is new in it is asked for next. */
  #meet({ groupId, senderId, receiverId, rev }: z.output<typeof chat>): Cursor[] {
    const companionId = groupId === null ? (senderId === this.person.id ? receiverId : senderId) : null;
    const copy = this.#copyOf(nameOf({ companionId, groupId }));
    return copy.rev < rev ? [cursorOf(nameOf({ companionId, groupId }), copy.rev)] : [];
  }

  #copyOf(name: string): Copy {
    const copy = this.conversations.get(name) ?? { rev: 0, rows: new Map() };
    this.conversations.set(name, copy);
    return copy;
  }
}

const historyRow = row.omit({ companionId: true, groupId: true });
const essenceOf = ({ messageId, seq, rev, content, senderId, createdAt }: z.output<typeof historyRow>) => ({
  messageId,
  seq,
  rev,
  content,
  senderId,
  createdAt,
});

/** All of a conversation as its history shows it. */
async function historyOf(person: Person, name: string) {
  const [kind, id] = name.split(' ');
  const rows = await (kind === 'group'
    ? readAll(person, 'getlatestMessageGroup', { groupId: id })
    : readAll(person, 'getlatestMessageDialog', { receiverId: id }));
  return z.array(historyRow).parse(rows);
}

/** What a replica has to have: every chat of the list, with all of its history. */
export async function storedContents(person: Person): Promise<Map<string, unknown[]>> {
  const contents = new Map<string, unknown[]>();
  for (const { groupId, senderId, receiverId } of z.array(chat).parse(await readAll(person, 'listLastMessage', {}))) {
    const name = nameOf({ companionId: groupId === null ? (senderId === person.id ? receiverId : senderId) : null, groupId });
    contents.set(name, (await historyOf(person, name)).reverse().map(essenceOf));
  }
  return contents;
}
