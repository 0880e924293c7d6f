/**
 * What the store of presence runs in Redis, each as one step. A script that is refused in any part is an error, which cannot be said of
 * a transaction. Each takes one key.
 */

/** A process lives. Arguments: its id, and after how many seconds it is forgotten. Returns the seconds since it said so before, or nothing. */
export const RENEW = `
local now = tonumber(redis.call('TIME')[1])
local before = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return before and now - before`;

/** A user has connections to a process. Arguments: its id, since when, and after how many seconds the user is forgotten. */
export const ENTER = `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])`;

/**
 * A user has no connections to some processes any more. Arguments: when the last was closed, after how many seconds the user is forgotten
 * when these were all, and for each process its id and since when it had any, or nothing for whenever that was. What has changed stays.
 */
export const LEAVE = `
for index = 3, #ARGV, 2 do
  local since = ARGV[index + 1]
  if since == '' or redis.call('HGET', KEYS[1], ARGV[index]) == since then redis.call('HDEL', KEYS[1], ARGV[index]) end
end
local before = tonumber(redis.call('HGET', KEYS[1], 'lastSeenAt') or 0)
if tonumber(ARGV[1]) > before then redis.call('HSET', KEYS[1], 'lastSeenAt', ARGV[1]) end
if redis.call('HLEN', KEYS[1]) == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end`;
