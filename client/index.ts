export { MessengerClient } from './client.ts';
export type { Loss } from './connection.ts';
export type { ClientEvents, Status } from './events.ts';
export type { Conversation, Message } from './message.ts';
export type { ClientOptions, NewMessage } from './options.ts';
export type { State } from './positions.ts';
export { RequestError } from './requestError.ts';
export type { AnswerParams, Notices, Params, Reaction, RequestType, UserStatus } from './wire.ts';
