import { RequestError } from './requestError.ts';
import type { AnswerFrame } from './wire.ts';

interface Request {
  /** The server is trusted to answer each type of request as it promises. */
  resolve(params: object): void;
  reject(error: RequestError): void;
  timer: ReturnType<typeof setTimeout>;
  /** Of its frame, in characters. */
  length: number;
}

/** The requests of a connection that wait for an answer. */
export class Pending {
  readonly #answerWithin: number;
  readonly #onSilence: () => void;
  readonly #requests = new Map<string, Request>();
  #serial = 0;

  /** Calls `onSilence` when an answer takes longer than `answerWithin`, in milliseconds. */
  constructor(answerWithin: number, onSilence: () => void) {
    this.#answerWithin = answerWithin;
    this.#onSilence = onSilence;
  }

  /** Waits for the answer to what `send` sends with the given id; `send` returns its length. */
  add<Params extends object>(send: (requestId: string) => number): Promise<Params> {
    return new Promise<Params>((resolve: (params: Params) => void, reject) => {
      const requestId = String(++this.#serial);
      const length = send(requestId);
      this.#requests.set(requestId, { resolve, reject, timer: setTimeout(this.#onSilence, this.#answerWithin), length });
    });
  }

  /** An answer came, perhaps to nothing. */
  settle(frame: AnswerFrame): void {
    const request = this.#requests.get(frame.requestId ?? '');
    if (!request) return;
    this.#requests.delete(frame.requestId ?? '');
    clearTimeout(request.timer);
    if ('error' in frame) request.reject(new RequestError(frame.code, frame.message, frame));
    else request.resolve(frame.params);
  }

  /** The connection is gone, for this reason; perhaps because a frame was too large, which must have been the longest. */
  failAll(reason: RequestError, wasTooLarge: boolean): void {
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    const longest = Math.max(...requests.map(({ length }) => length));
    for (const { reject, timer, length } of requests) {
      clearTimeout(timer);
      const isTooLarge = wasTooLarge && length === longest;
      reject(isTooLarge ? new RequestError('frame_too_large', 'This is longer than the server accepts') : reason);
    }
  }
}
