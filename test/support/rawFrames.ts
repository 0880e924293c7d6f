import { connect } from 'node:net';
import fc from 'fast-check';

/** A frame of RFC 6455 as bytes, right or wrong. */
export interface RawFrame {
  fin: boolean;
  reserved: number;
  opcode: number;
  masked: boolean;
  payload: Uint8Array;
  /** The length that it claims to have; undefined: its own. */
  claimed: bigint | undefined;
}

const TEXT = 1;
const CLOSE = 8;
const often = <T>(usual: T, unusual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: unusual });
const CLAIMS = [0n, 1n, 125n, 126n, 65_535n, 65_536n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

/** Frames of all kinds around the payloads of `text`: whole and in fragments, control frames among them, with lies about length and mask. */
export function rawFrames(text: fc.Arbitrary<Uint8Array>): fc.Arbitrary<RawFrame> {
  const close = fc.tuple(fc.integer({ min: 0, max: 65_535 }), fc.uint8Array({ maxLength: 130 })).map(([code, reason]) => {
    const head = Buffer.alloc(2);
    head.writeUInt16BE(code);
    return Buffer.concat([head, reason]);
  });
  return fc.record({
    fin: often(true, fc.boolean()),
    reserved: often(0, fc.nat(7)),
    opcode: fc.oneof(
      { weight: 3, arbitrary: fc.constant(TEXT) },
      { weight: 2, arbitrary: fc.constantFrom(0, 2, CLOSE, 9, 10) },
      fc.nat(15),
    ),
    masked: often(true, fc.constant(false)),
    payload: fc.oneof(
      { weight: 4, arbitrary: text },
      close,
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(300_000).map((length) => Buffer.alloc(length, 'x')),
    ),
    claimed: often<bigint | undefined>(undefined, fc.constantFrom(...CLAIMS)),
  });
}

/** The frame as a client writes it. The mask is all zeros, so the payload stays as it is. */
export function encodeFrame({ fin, reserved, opcode, masked, payload, claimed }: RawFrame): Buffer {
  const length = claimed ?? BigInt(payload.length);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const mask = masked ? 0x80 : 0;
  const head = Buffer.alloc(10);
  head[0] = first;
  const size = length < 126n ? 2 : length < 65_536n ? 4 : 10;
  head[1] = mask | (size === 2 ? Number(length) : size === 4 ? 126 : 127);
  if (size === 4) head.writeUInt16BE(Number(length), 2);
  if (size === 10) head.writeBigUInt64BE(length, 2);
  return Buffer.concat([head.subarray(0, size), Buffer.alloc(masked ? 4 : 0), payload]);
}

/** The texts and the close codes that a server wrote. A last frame may be cut. */
export function decodeFrames(bytes: Buffer): { texts: string[]; closes: number[] } {
  const texts: string[] = [];
  const closes: number[] = [];
  let rest = bytes;
  for (let frame = firstFrame(rest); frame; frame = firstFrame(rest)) {
    const { opcode, payload, end } = frame;
    if (opcode === TEXT) texts.push(payload.toString());
    if (opcode === CLOSE) closes.push(payload.length < 2 ? 1005 : payload.readUInt16BE());
    rest = rest.subarray(end);
  }
  return { texts, closes };
}

function firstFrame(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  const short = bytes[1];
  const begin = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (short === undefined || bytes.length < begin) return undefined;
  const end = begin + (begin === 4 ? bytes.readUInt16BE(2) : begin === 10 ? Number(bytes.readBigUInt64BE(2)) : short);
  return bytes.length < end ? undefined : { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(begin, end), end };
}

/** How long a server says nothing that waits for more, in milliseconds. */
const SILENCE = 1_000;

/**
 * Writes the pieces, ends its side, and returns all that comes until the server has closed the connection.
 * With `opening`, that is written first, and the rest when the server has answered to it, or says nothing and may wait for more.
 */
export function exchange({ url }: { url: string }, pieces: Buffer[], opening?: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), noDelay: true });
    const writeAll = () => {
      clearTimeout(timer);
      socket.off('data', writeAll);
      for (const piece of pieces) socket.write(piece);
      socket.end();
    };
    socket.on('data', (data) => received.push(data));
    // A reset is one of the ways to close.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(received));
    });
    const timer = opening && setTimeout(writeAll, SILENCE);
    if (opening) {
      socket.write(opening);
      socket.on('data', writeAll);
    } else writeAll();
  });
}
