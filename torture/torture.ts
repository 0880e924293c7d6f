import { setTimeout as delay } from 'node:timers/promises';
import { type Archive, archive, firstDifference } from './archive.ts';
import { GIVE_UP_AFTER, WELL_WITHIN } from './bounds.ts';
import { checkApplication } from './checkApplication.ts';
import { checkChats, checkWhole } from './checkEnd.ts';
import { checkMissed } from './checkMissed.ts';
import { checkSight } from './checkSight.ts';
import { checkStorage } from './checkStorage.ts';
import type { Client } from './client.ts';
import { gather } from './crowd.ts';
import type { Device } from './device.ts';
import { clientFaults } from './faults/clientFaults.ts';
import { databaseFaults, diskFull } from './faults/databaseFaults.ts';
import type { Fault, Victims } from './faults/fault.ts';
import { schedule, strikeAlone, strikeAndRecover } from './faults/play.ts';
import { redisFaults } from './faults/redisFaults.ts';
import { nodeFaults, serverFaults } from './faults/serverFaults.ts';
import type { Conversation } from './history.ts';
import type { Options } from './options.ts';
import { LARGEST_PAGE } from './pages.ts';
import { readStored } from './queries.ts';
import { Random } from './random.ts';
import type { Scene, Stage } from './stage.ts';
import { summary } from './summary.ts';
import type { Verdict } from './verdict.ts';

const PROGRESS_INTERVAL = 5_000;
const POLL_INTERVAL = 100;
/** Rows of the largest answer to `getMissed`. */
const LARGEST_ANSWER = 500;
const READABLE = 'everything can be read in the end';

type Say = (what: string) => void;

/** Plays a whole run. Returns what there is to read, and whether all that was checked holds. */
export async function torture(stage: Stage, options: Options, say: Say): Promise<{ text: string; holds: boolean }> {
  const random = new Random(options.seed);
  const scene = await stage.start(options, say);
  const crowd = await gather(scene, random.fork());
  const { devices } = crowd;
  const victims: Victims = { ...scene, clients: [...crowd.clients, ...devices], devices, random, striking: new Set() };
  for (const client of victims.clients) client.start();
  await injectFaults(victims, scene, Date.now() + options.minutes * 60_000, say);
  const messages = await checkAll(victims, crowd.clients, say);
  return { text: summary(victims, messages), holds: victims.verdict.violations === 0 };
}

/**
 * Lets the faults of all servers and their database strike one after the other, beside them those of single servers and of Redis,
 * and those of clients.
 */
async function injectFaults(victims: Victims, { volume, nodes }: Scene, over: number, say: Say): Promise<void> {
  const present = new Set<string>();
  const telling = setInterval(() => say(progress(victims, present)), PROGRESS_INTERVAL);
  const inTurn = async (faults: Fault[], choices: Random, strike: typeof strikeAlone) => {
    for (const { fault, pause, random } of schedule(faults, choices, over, victims.counts)) {
      await delay(pause);
      present.add(fault.name);
      await strike(fault, { ...victims, random });
      present.delete(fault.name);
    }
    for (const { name } of faults)
      victims.verdict.check('every kind of fault strikes', victims.counts.faults.has(name), () => `${name}: it never hit anything`);
  };
  const strong = [...serverFaults, ...databaseFaults, ...(volume ? [diskFull(volume)] : [])];
  const tracks = [inTurn(strong, victims.random.fork(), strikeAndRecover), inTurn(clientFaults, victims.random.fork(), strikeAlone)];
  if (nodes) tracks.push(inTurn([...nodeFaults, ...redisFaults(nodes.redis, nodes.ways)], victims.random.fork(), strikeAndRecover));
  await Promise.all(tracks);
  clearInterval(telling);
}

function progress({ counts, clients }: Victims, present: Set<string>): string {
  const waiting = clients.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0);
  const connected = clients.filter(({ isConnected }) => isConnected).length;
  const now = [...present].join(', ') || 'no fault';
  return `${counts.acknowledged} acknowledged, ${waiting} waiting, ${connected} of ${clients.length} connected; now: ${now}`;
}

/** Lets the clients come to an end, and compares what they saw with what is stored. Returns how many messages that are. */
async function checkAll({ history, verdict, postgres, random, clients, devices }: Victims, readers: Client[], say: Say): Promise<number> {
  say('the load ends');
  for (const client of clients) client.quiet();
  const deadline = Date.now() + GIVE_UP_AFTER;
  while (!clients.every(({ isDone }) => isDone) && Date.now() < deadline) await delay(POLL_INTERVAL);
  const stored = await readStored(await postgres.url());
  const all = archive(history, stored);
  say('checking what each user reads');
  const oneOfEach = new Map(readers.map((client) => [client.account.id, client]));
  // One after the other: together they would read more slowly than the server writes, and be taken for gone.
  for (const client of oneOfEach.values()) {
    await checkReading(client, all, verdict);
    await checkCatchingUp(client, all, random, verdict);
  }
  for (const device of devices) await checkDevice(device, all, verdict);
  for (const client of clients) client.end();
  // Last, because it does nothing else for so long that the server would take the clients for gone.
  say('checking what is stored');
  checkStorage(all, verdict);
  checkSight(all, verdict);
  return stored.reduce((sum, { messages }) => sum + messages.length, 0);
}

/** The application of a device is given the last messages and changes soon. */
async function checkDevice({ account, conversations, sends, application }: Device, all: Archive, verdict: Verdict): Promise<void> {
  const hasAll = ({ id }: Conversation) =>
    firstDifference(application.messagesOf(id), all.conversations.get(id)?.stored.messages ?? [], account.id) === undefined;
  for (const deadline = Date.now() + WELL_WITHIN; !conversations.every(hasAll) && Date.now() < deadline; ) await delay(POLL_INTERVAL);
  const messagesOf = (id: string) => application.messagesOf(id);
  checkApplication(all, { userId: account.id, conversations, sends, messagesOf }, verdict);
}

/** A user reads all that there is, and finds it as it is stored. */
async function checkReading(client: Client, all: Archive, verdict: Verdict): Promise<void> {
  const { id } = client.account;
  const chats = await inTime(client.readChats(LARGEST_PAGE));
  verdict.check(READABLE, chats !== undefined, () => `${id} could not read the chat list`);
  if (chats) checkChats(all, id, chats, verdict);
  for (const conversation of client.conversations) {
    const pages = await inTime(client.readWhole(conversation));
    verdict.check(READABLE, pages !== undefined, () => `conversation ${conversation.id}: ${id} could not read it`);
    if (pages) checkWhole(all, pages, verdict);
  }
}

/** A user who knows some conversations up to where connections of theirs have ended, and some not at all, is told the rest. */
async function checkCatchingUp(client: Client, all: Archive, random: Random, verdict: Verdict): Promise<void> {
  const { id } = client.account;
  const connections = all.history.connections.filter(({ userId }) => userId === id);
  const points = random.sample(client.conversations, random.integer(1, client.conversations.length)).map((conversation) => {
    const ends = connections.flatMap(
      ({ broadcasts }) => broadcasts.findLast(({ conversationId }) => conversationId === conversation.id) ?? [],
    );
    const last = all.conversations.get(conversation.id)?.stored.lastRev ?? 0;
    return { conversation, afterRev: random.pick([0, last, ...ends.map(({ rev }) => rev)]) };
  });
  const missed = await inTime(client.readMissed(points, random.integer(20, LARGEST_ANSWER)));
  verdict.check(READABLE, missed !== undefined, () => `${id} could not read what was missed`);
  if (missed) checkMissed(all, missed, verdict);
}

/** Undefined when it takes too long. */
const inTime = <T>(work: Promise<T>): Promise<T | undefined> => Promise.race([work, delay(GIVE_UP_AFTER, undefined)]);
