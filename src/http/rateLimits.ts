import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../errors.ts';

const MINUTE = 60;

/** How often each thing may be done in how many seconds, by one address or for one account. */
const LIMITS = {
  register: { points: 300, duration: 10 * MINUTE },
  registerAccount: { points: 10, duration: 10 * MINUTE },
  login: { points: 600, duration: 10 * MINUTE },
  failedLogin: { points: 20, duration: 5 * MINUTE },
  password: { points: 20, duration: 10 * MINUTE },
  request: { points: 1_800, duration: MINUTE },
  search: { points: 300, duration: MINUTE },
  /** Whenever somebody connects, all groups are read that this person was put into. */
  groupMember: { points: 1_000, duration: 10 * MINUTE },
  failedUpgrade: { points: 200, duration: MINUTE },
} as const;

export type LimitName = keyof typeof LIMITS;

/** Limits on what is costly to serve or worth guessing at. */
export class RateLimits {
  readonly #limiters: Map<string, RateLimiterMemory> | undefined;

  constructor(mode: 'on' | 'off') {
    if (mode === 'off') return;
    this.#limiters = new Map(Object.entries(LIMITS).map(([name, limit]) => [name, new RateLimiterMemory({ ...limit, keyPrefix: name })]));
  }

  /**
   * Counts uses of `name` by `key`.
   * @throws {AppError} `rate_limited`, with the seconds to wait, when they are too many
   */
  async consume(name: LimitName, key: string, uses = 1): Promise<void> {
    try {
      await this.#limiters?.get(name)?.consume(key, uses);
    } catch (refusal) {
      throw refusal instanceof RateLimiterRes ? rateLimited(refusal) : refusal;
    }
  }

  /** Takes one use back. */
  async forgive(name: LimitName, key: string): Promise<void> {
    await this.#limiters?.get(name)?.reward(key);
  }
}

const rateLimited = ({ msBeforeNext }: RateLimiterRes) =>
  new AppError('rate_limited', { retryAfter: Math.max(1, Math.ceil(msBeforeNext / 1000)) });
