import { TokenBucket } from 'limiter';

/** Frames that a client may send at once, and in each second after that. */
const BURST = 300;
const PER_SECOND = 30;
/** Frames beside these that are refused before the client is closed; what it was refused is made good at the same rate. */
const REFUSED = 100;

/** How often one connection may ask. It decides at once, so what is asked keeps its order. */
export class RequestLimit {
  readonly #bucket = new TokenBucket({ bucketSize: BURST + REFUSED, tokensPerInterval: PER_SECOND, interval: 'second' });

  constructor() {
    this.#bucket.content = this.#bucket.bucketSize;
  }

  /** Counts a frame. Returns 0 when it may be served, else the seconds to wait; undefined when the client went on in spite of that for too long. */
  take(): number | undefined {
    if (!this.#bucket.tryRemoveTokens(1)) return undefined;
    const missing = REFUSED - this.#bucket.content;
    return missing > 0 ? Math.ceil((missing + 1) / PER_SECOND) : 0;
  }
}
