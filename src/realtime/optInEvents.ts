/** Events that a connection receives only when it has asked for them, in the order in which they are answered. */
export const OPT_IN_EVENTS = [
  'ownMessages',
  'userStatus',
  'catchUp',
  'messageRead',
  'userTyping',
  'messageEdited',
  'messageDeleted',
  'reactionsChanged',
  'groupUpdated',
  'memberRemoved',
  'roleChanged',
] as const;

export type OptInEvent = (typeof OPT_IN_EVENTS)[number];

const names: ReadonlySet<string> = new Set(OPT_IN_EVENTS);

/** Whether broadcasts of this type are for those only who asked for them. */
export const isOptInEvent = (type: string): type is OptInEvent => names.has(type);
