/** Events that a connection receives only when it has asked for them, in the order in which they are answered. */
export const OPT_IN_EVENTS = ['ownMessages', 'userStatus', 'catchUp'] as const;

export type OptInEvent = (typeof OPT_IN_EVENTS)[number];
