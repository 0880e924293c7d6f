const GROUP = 'group:';
const OWN = 'own:';
const STATUS = 'status:';

/** All connections of a user. */
export const userTopic = (userId: string): string => `user:${userId}`;
/** The connections of a user that asked for what the others of them send. */
export const ownTopic = (userId: string): string => `${OWN}${userId}`;
/** The connections that watch the status of a user. */
export const statusTopic = (userId: string): string => `${STATUS}${userId}`;
/** The connections of all members of a group. */
export const groupTopic = (groupId: string): string => `${GROUP}${groupId}`;

/** The group whose topic it is; undefined for any other topic. */
export const groupIdOf = (topic: string): string | undefined => (topic.startsWith(GROUP) ? topic.slice(GROUP.length) : undefined);

/** The user whose own messages' topic it is; undefined for any other topic. */
export const ownUserIdOf = (topic: string): string | undefined => (topic.startsWith(OWN) ? topic.slice(OWN.length) : undefined);

export const isStatusTopic = (topic: string): boolean => topic.startsWith(STATUS);
