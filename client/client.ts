import type { Place } from '../src/answers.ts';
import { CatchUp } from './catchUp.ts';
import { acknowledged } from './change.ts';
import { Connection } from './connection.ts';
import { Emitter } from './emitter.ts';
import type { ClientEvents, Emit, Status } from './events.ts';
import { EVENTS, News } from './news.ts';
import { onReturn } from './onReturn.ts';
import type { ClientOptions, NewMessage } from './options.ts';
import { type Draft, Outbox } from './outbox.ts';
import { Positions, type State } from './positions.ts';
import { Presence } from './presence.ts';
import { closed, type RequestError, unauthorized } from './requestError.ts';
import { standardSocket } from './socket.ts';
import { TIMINGS } from './timings.ts';
import { randomUuid } from './uuid.ts';
import type { AnswerParams, Params, RequestType } from './wire.ts';

/** What an application may ask for besides what the client itself asks. */
type OtherRequest = Exclude<
  RequestType,
  'privateMessage' | 'messageInGroup' | 'getMissed' | 'subscribe' | 'watchPresence' | 'unwatchPresence'
>;

const ignore = (): void => {};

/**
 * A user's connection to the server, which mends itself.
 *
 * Whatever happens to the connection and the server, the application is given every message of the user's conversations once, and again when
 * it was changed, and those of a conversation in the order of their `rev`; and what it sends is stored once, and in the order in which it sent it into a conversation.
 */
export class MessengerClient {
  readonly #userId: string;
  readonly #emitter = new Emitter<ClientEvents>();
  readonly #positions: Positions;
  readonly #connection: Connection;
  readonly #catchUp: CatchUp;
  readonly #news: News;
  readonly #outbox: Outbox;
  readonly #presence: Presence;
  readonly #ending = new AbortController();
  #status: Status = 'connecting';
  #finalState: State | undefined;

  /** Begins to connect at once; nothing is told before the caller had a chance to listen. */
  constructor({ url, userId, token, state, WebSocket = standardSocket(), timings: given }: ClientOptions) {
    const timings = { ...TIMINGS, ...given };
    this.#userId = userId;
    this.#positions = new Positions(userId, state, (message) => this.#emit('message', message));
    const emit: Emit = (name, event) => this.#emit(name, event);
    const subscribe = () => this.#subscribe();
    this.#connection = new Connection({
      url,
      token,
      WebSocket,
      timings,
      opened: () => this.#opened(),
      closed: () => this.#closed(),
      unauthorized: () => this.#unauthorized(),
      lost: (loss) => emit('disconnected', loss),
      broadcast: (frame) => this.#news.receive(frame),
      silent: () => subscribe().catch(ignore),
    });
    this.#catchUp = new CatchUp({
      userId,
      positions: this.#positions,
      timings,
      emit,
      subscribe: () => subscribe().then(() => this.#presence.start()),
      getMissed: (params) => this.#connection.request('getMissed', params),
      caughtUp: () => this.#caughtUp(),
    });
    this.#news = new News({ userId, positions: this.#positions, catchUp: this.#catchUp, emit });
    this.#outbox = new Outbox({ timings, transmit: (draft) => this.#transmit(draft) });
    this.#presence = new Presence({
      timings,
      subscribe,
      watch: async (userIds) => (await this.#connection.request('watchPresence', { userIds })).data,
      unwatch: (userIds) => this.#connection.request('unwatchPresence', { userIds }),
      tell: (status) => emit('userStatus', status),
      failed: (error) => emit('error', error),
    });
    this.#connection.connect();
    onReturn(() => this.connectNow(), this.#ending.signal);
  }

  get status(): Status {
    return this.#status;
  }

  /** What the application has been given. Kept together with the messages, it makes the next client go on where this one was. */
  get state(): State {
    return this.#finalState ?? this.#positions.state;
  }

  /** Calls `listener` at every event of this name. Returns what ends that. What it throws, or its promise rejects with, nobody else catches. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  /**
   * Sends a message, again and again until it is stored, and resolves then. Not kept anywhere but here:
   * an application that is to survive its own end keeps the message with its `messageId`, and sends it again.
   * @throws {RequestError} when the server refuses it for good, or the client ends before it is acknowledged
   */
  async send({ content, messageId = randomUuid(), replyToId, ...to }: NewMessage): Promise<Place> {
    if (this.#status === 'ended') throw closed();
    const companionId = 'receiverId' in to ? to.receiverId.toLowerCase() : null;
    const groupId = 'groupId' in to ? to.groupId.toLowerCase() : null;
    const ids = { messageId: messageId.toLowerCase(), replyToId: replyToId?.toLowerCase() ?? null };
    return this.#outbox.add({ companionId, groupId, ...ids, content });
  }

  /**
   * Asks the server for anything else: lists, pages of history, changes of groups.
   * @throws {RequestError} the server's error; `disconnected`, or at the client's end `closed` or `unauthorized`:
   * whether a change was made is not known then
   */
  async request<Type extends OtherRequest>(type: Type, params: Params<Type>): Promise<AnswerParams<Type>> {
    const answer = await this.#connection.request(type, params);
    this.#news.answered(type, params, answer.item);
    return answer;
  }

  /**
   * Tells of the presence of these users, by `userStatus`, now and whenever it changes, on every connection.
   * @throws {RequestError} when the server refuses, because there is somebody with whom the user shares no chat
   */
  watchPresence(userIds: string[]): Promise<void> {
    return this.#presence.watch(userIds);
  }

  unwatchPresence(userIds: string[]): Promise<void> {
    return this.#presence.unwatch(userIds);
  }

  /**
   * Tries to connect at once, where the client waits before it tries again; a connection that does not answer soon is given up for another.
   * In a browser it does so by itself when there is a network again, and when the user returns to the page.
   */
  connectNow(): void {
    this.#connection.connectNow();
  }

  /** Ends. Nothing is told any more, and what was not acknowledged or answered is rejected with `closed`, as all that is asked later. */
  close(): void {
    this.#end(closed());
  }

  #opened(): void {
    this.#become('catchingUp');
    this.#catchUp.start();
    // What is sent before it is known what was there already could not be told from it.
    if (this.#positions.changedSince !== undefined) this.#outbox.start();
  }

  #caughtUp(): void {
    this.#become('online');
    this.#outbox.start();
  }

  #closed(): void {
    this.#become('connecting');
    this.#catchUp.stop();
    this.#outbox.stop();
    this.#presence.stop();
  }

  #unauthorized(): void {
    this.#emit('unauthorized', undefined);
    this.#end(unauthorized());
  }

  #end(error: RequestError): void {
    if (this.#status === 'ended') return;
    this.#become('ended');
    this.#finalState = this.#positions.state;
    this.#ending.abort();
    this.#connection.end();
    this.#outbox.end(error);
  }

  #become(status: Status): void {
    if (this.#status === 'ended' || this.#status === status) return;
    this.#status = status;
    this.#emit('status', status);
  }

  /** After its end a client tells nothing, so its state tells all that it told. */
  #emit<Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]): void {
    if (!this.#finalState) this.#emitter.emit(name, event);
  }

  #subscribe(): Promise<unknown> {
    const events = this.#presence.isWatching ? [...EVENTS, 'userStatus' as const] : EVENTS;
    return this.#connection.request('subscribe', { events });
  }

  async #transmit(draft: Draft): Promise<Place> {
    const { companionId, groupId, ...message } = draft;
    const answer =
      groupId === null
        ? await this.#connection.request('privateMessage', { ...message, receiverId: companionId ?? '' })
        : await this.#connection.request('messageInGroup', { ...message, groupId });
    const { seq, rev, createdAt } = answer;
    const place = { seq, rev, createdAt };
    this.#catchUp.offer(acknowledged(draft, place, this.#userId));
    return place;
  }
}
