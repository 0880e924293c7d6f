import type { CatchUp } from './catchUp.ts';
import { changed, stored, unknown } from './change.ts';
import type { ClientEvents, Emit } from './events.ts';
import { type Conversation, messageOfItem } from './message.ts';
import type { Positions } from './positions.ts';
import type { BroadcastFrame, MessageFrame, Notice, Params, RequestType } from './wire.ts';

/** What is asked for always. Presence costs the server more: that is asked for where somebody is watched. */
export const EVENTS: Params<'subscribe'>['events'] = [
  'ownMessages',
  'catchUp',
  'messageRead',
  'userTyping',
  'messageEdited',
  'messageDeleted',
  'reactionsChanged',
  'groupUpdated',
  'memberRemoved',
  'roleChanged',
];

/** Requests that store a message in a group, or end the user's part in it, of which this connection is told by the answer alone. */
const CHANGES_OF_GROUPS: ReadonlySet<RequestType> = new Set<RequestType>([
  'addUserInGroup',
  'removeUserFromGroup',
  'newGroup',
  'leaveGroup',
  'dropGroup',
]);

/** A frame whose item is passed on as an event of the same name. */
type Passed<Type extends Notice> = { [One in Type]: { type: One; params: { item: ClientEvents[One] } } }[Type];

interface Surroundings {
  userId: string;
  positions: Positions;
  catchUp: CatchUp;
  emit: Emit;
}

/** What the client learns of what happens: from events, and from the answers to its own requests, of which it gets no event. */
export class News {
  readonly #around: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#around = surroundings;
  }

  /** An event came. */
  receive(frame: BroadcastFrame): void {
    const { catchUp, userId } = this.#around;
    switch (frame.type) {
      case 'catchUp':
        catchUp.all();
        break;
      case 'dropGroup':
        this.#askAbout(frame.params.item.groupId);
        break;
      case 'privateMessage':
      case 'messageInGroup':
      case 'addUserInGroup':
      case 'leaveGroup':
        this.#receiveMessage(frame);
        break;
      case 'messageEdited':
      case 'messageDeleted':
      case 'reactionsChanged':
        catchUp.offer(changed(frame, userId));
        break;
      case 'userStatus':
      case 'messageRead':
      case 'userTyping':
      case 'groupUpdated':
      case 'memberRemoved':
      case 'roleChanged':
        this.#passOn(frame);
    }
  }

  /** A request that the application made was answered. */
  answered(type: RequestType, params: object, item: unknown): void {
    if (typeof item !== 'object' || item === null) return;
    if (CHANGES_OF_GROUPS.has(type) && 'groupId' in item && typeof item.groupId === 'string') this.#askAbout(item.groupId);
    if (!('messageId' in item && typeof item.messageId === 'string' && 'rev' in item && typeof item.rev === 'number')) return;
    const { messageId, rev } = item;
    // It tells a part of the message, as that is now: perhaps it was changed so long ago, and otherwise since.
    this.#around.catchUp.offer(unknown({ ...conversationIn(params), messageId, rev }));
  }

  #receiveMessage({ type, params: { item } }: MessageFrame): void {
    const { catchUp, userId } = this.#around;
    const message = messageOfItem(item);
    catchUp.offer(stored(message));
    if (type === 'leaveGroup' && message.senderId === userId && message.groupId !== null) this.#askAbout(message.groupId);
  }

  #passOn<Type extends Notice>({ type, params }: Passed<Type>): void {
    this.#around.emit(type, params.item);
  }

  #askAbout(groupId: string): void {
    const { catchUp, positions } = this.#around;
    catchUp.ask(positions.at({ companionId: null, groupId: groupId.toLowerCase() }));
  }
}

/** The conversation that a request names. */
function conversationIn(params: object): Conversation {
  const { receiverId, groupId }: { receiverId?: unknown; groupId?: unknown } = params;
  const idOf = (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : null);
  return { companionId: idOf(receiverId), groupId: idOf(groupId) };
}
