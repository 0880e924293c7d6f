import { Ajv, type ValidateFunction } from 'ajv';
import { parseEnv } from '../../src/env.ts';
import { describeSocket, messageName } from '../../src/ws/asyncapi.ts';
import { PROCESSOR } from '../../src/ws/envelope.ts';
import { createRegistry } from '../../src/ws/registry.ts';
import { strict } from './strict.ts';

/** What `asyncapi.yaml` holds, as long as it is up to date. */
export const description = describeSocket(createRegistry(parseEnv({})));

/** Checks by schemas of the description, with the ways in which the contract writes ids and times. */
const ajv = new Ajv({
  allErrors: true,
  allowUnionTypes: true,
  formats: {
    uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  },
});
const validators = new Map<string, ValidateFunction>();

/** What is wrong with a frame that is to be the message of this name, a field too many as well; undefined when nothing is. */
export function mismatch(name: string, frame: unknown): string | undefined {
  const message = description.components.messages[name];
  if (!message) return `no message is called ${name}`;
  const validate = validators.get(name) ?? ajv.compile(strict(message.payload));
  validators.set(name, validate);
  return validate(frame) ? undefined : ajv.errorsText(validate.errors, { dataVar: name });
}

/** How a frame of a server differs from the description; undefined when it does not. */
export function violationOf(
  frame: { type: string } & ({ error: true; code: string } | { success: true; params: { isBroadcast: boolean } }),
): string | undefined {
  const { type } = frame;
  if ('success' in frame) return mismatch(frame.params.isBroadcast ? messageName.broadcast(type) : messageName.answer(type), frame);
  const operation = description.operations[type];
  const messages = (type === PROCESSOR ? operation?.messages : operation?.reply?.messages) ?? [];
  const name = messageName.error(frame.code);
  const isNamed = messages.some(({ $ref }) => $ref.endsWith(`/${name}`));
  return isNamed ? mismatch(name, frame) : `${type} has no error ${name}: name it beside its example in src/ws/examples`;
}
