import * as ws from 'ws';

declare module 'ws' {
  /** Part of the library, but not of its published types. */
  const Sender: { frame?: (payload: Buffer, options: object) => Buffer[] } | undefined;
}

const TEXT = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };

/** A text on its way to clients: encoded once, however many receive it. */
export interface Frame {
  readonly text: string;
  /** What goes over the wire, header included; undefined where the library cannot tell, and the text is sent instead. */
  readonly bytes: Buffer | undefined;
}

/** Encodes a text as a frame of a server, without compression. */
export function textFrame(text: string): Frame {
  return { text, bytes: canEncode ? encode(text) : undefined };
}

function encode(text: string): Buffer | undefined {
  const parts = ws.Sender?.frame?.(Buffer.from(text), TEXT);
  return parts && Buffer.concat(parts);
}

/** `Sender.frame` is not a promise that the library makes: a version that does otherwise must not garble what is sent. */
const canEncode = encodesAsExpected();

function encodesAsExpected(): boolean {
  try {
    return encode('é')?.equals(Buffer.from([0x81, 2, 0xc3, 0xa9])) ?? false;
  } catch {
    return false;
  }
}
