import type { Operation } from '../operation.ts';
import { isOptInEvent } from '../realtime/optInEvents.ts';
import { CLOSE_CODES } from './closeCodes.ts';
import {
  answerMessage,
  broadcastMessage,
  broadcastTypes,
  COMMON_ERRORS,
  errorMessage,
  errorsOf,
  type Message,
  OWN_MESSAGES,
  PROCESSOR_ERRORS,
  requestMessage,
  summaryOf,
} from './describedMessages.ts';
import { PROCESSOR } from './envelope.ts';
import { broadcastExamples } from './examples/all.ts';

interface Reference {
  $ref: string;
}
interface DescribedOperation {
  action: 'receive' | 'send';
  channel: Reference;
  /** What stands in the frames as `type`, or what is subscribed to. */
  title: string;
  summary: string;
  /** Whether it is sent to those connections only that asked for it. */
  'x-optIn'?: true;
  messages: Reference[];
  reply?: { channel: Reference; messages: Reference[] };
}

/** What the message about a request, its answer, a broadcast or an error is called. */
export const messageName = {
  request: (type: string) => `${type}Request`,
  answer: (type: string) => `${type}Answer`,
  broadcast: (type: string) => `${type}Broadcast`,
  error: (code: string) => code,
};

const CHANNEL = { $ref: '#/channels/messenger' };
const references = (names: string[]): Reference[] => names.map((name) => ({ $ref: `${CHANNEL.$ref}/messages/${name}` }));

const DESCRIPTION = `
Requests of a client, what answers them, and broadcasts go over one connection. Every frame is a text with one JSON object.

A browser passes the token of its log-in as a subprotocol, \`new WebSocket(url, ['auth', token])\`; anything else sends the header \`Authorization: Bearer <token>\`.

What answers a request repeats its \`requestId\`. Answers may come in any order; sends into one conversation are applied in the order in which they were sent. A bad frame is answered with an error, and closes nothing.

Ids are UUIDs of any version, lower-cased by the server; times are ISO 8601 in UTC with milliseconds. Requests name a conversation by \`receiverId\`, the other person in it, or by \`groupId\`: by exactly one of them. Events name it by \`companionId\` or \`groupId\`, the other one is null. Later versions may add fields.
`.trim();

/** The AsyncAPI description of the WebSocket, made from the schemas of what goes over it. */
export function describeSocket(operations: ReadonlyMap<string, Operation>) {
  const types = [...operations.keys()];
  const codes = [...new Set([...types.flatMap(errorsOf), ...COMMON_ERRORS, ...PROCESSOR_ERRORS])];
  const messages: Record<string, Message> = {};
  for (const [type, operation] of operations) {
    messages[messageName.request(type)] = requestMessage(type, operation);
    messages[messageName.answer(type)] = answerMessage(type, operation);
  }
  for (const type of broadcastTypes) messages[messageName.broadcast(type)] = broadcastMessage(type);
  for (const code of codes) messages[messageName.error(code)] = errorMessage(code, types);
  return {
    asyncapi: '3.0.0',
    info: { title: 'Messenger', version: '1.0.0', description: DESCRIPTION },
    defaultContentType: 'application/json',
    servers: {
      messenger: {
        host: 'localhost:3001',
        protocol: 'ws',
        security: [{ $ref: '#/components/securitySchemes/header' }, { $ref: '#/components/securitySchemes/subprotocol' }],
      },
    },
    channels: {
      messenger: {
        address: '/api/ws',
        messages: Object.fromEntries(Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }])),
        'x-closeCodes': CLOSE_CODES,
      },
    },
    operations: describeOperations(types),
    components: {
      messages,
      securitySchemes: {
        header: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        subprotocol: { type: 'httpApiKey', in: 'header', name: 'Sec-WebSocket-Protocol', description: '`auth, <token>`, for browsers' },
      },
    },
  };
}

export type SocketDescription = ReturnType<typeof describeSocket>;

/** By request type, by broadcast type with `Broadcast`, by event where it is no type of its own; frames of no type are `processor`. */
function describeOperations(types: string[]): Record<string, DescribedOperation> {
  const described: Record<string, DescribedOperation> = {};
  for (const type of types) {
    described[type] = {
      action: 'receive',
      channel: CHANNEL,
      title: type,
      summary: summaryOf(type),
      messages: references([messageName.request(type)]),
      reply: {
        channel: CHANNEL,
        messages: references([messageName.answer(type), ...[...errorsOf(type), ...COMMON_ERRORS].map(messageName.error)]),
      },
    };
  }
  for (const type of broadcastTypes) {
    const name = messageName.broadcast(type);
    const summary = broadcastExamples[type]?.summary ?? type;
    described[name] = { ...sending(type, summary, [name]), ...(isOptInEvent(type) && { 'x-optIn': true }) };
  }
  const own = broadcastTypes.filter((type) => broadcastExamples[type]?.own).map(messageName.broadcast);
  const summary = 'What my user did on another connection, as a broadcast of that type with companionId and groupId';
  described[OWN_MESSAGES] = { ...sending(OWN_MESSAGES, summary, own), 'x-optIn': true };
  described[PROCESSOR] = sending(PROCESSOR, 'A frame that no request can be read from, or of a type that does not exist', PROCESSOR_ERRORS);
  return described;
}

const sending = (title: string, summary: string, names: string[]): DescribedOperation => ({
  action: 'send',
  channel: CHANNEL,
  title,
  summary,
  messages: references(names),
});
