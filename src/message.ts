// Frames as users hold them, and what users may send.

import { withCode } from "./errors.ts";
import { bodiesOf, Span } from "./span.ts";

/** For text: a byte order mark is a character like others. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

// On Node and Bun frames inherit Buffer's methods (readUInt32BE, equals, toString("hex") …): it costs nothing per frame,
// and code written for zeromq.js, whose frames are Buffers, goes on working.
const bufferClass = (globalThis as {
  Buffer?: { readonly prototype: Uint8Array; allocUnsafeSlow(size: number): Uint8Array };
}).Buffer;
const bufferPrototype = bufferClass?.prototype;
type EncodedString = (this: Uint8Array, encoding?: string, start?: number, end?: number) => string;

/**
 * One received frame: the octets, as a `Uint8Array`, with two conveniences. It may share its memory with the frames
 * that came with it; `slice()` gives a copy of its own.
 *
 * On Node, Bun and Deno it also answers to the methods of `Buffer`.
 *
 * @example Read a frame
 * ```ts
 * import { Frame } from "@wasmq/wasmq";
 *
 * const frame = new Frame(new TextEncoder().encode('{"n":1}'));
 * frame.toString(); // '{"n":1}'
 * frame.json(); // { n: 1 }
 * ```
 */
export class Frame extends Uint8Array {
  /** As `Uint8Array`'s: octets, a length, or a part of a buffer. */
  // Written out: V8 makes instances by an inherited constructor three times slower.
  constructor(
    source: ArrayBufferLike | ArrayLike<number> | number,
    offset?: number,
    length?: number,
  ) {
    super(source as ArrayBuffer, offset, length);
  }

  /**
   * The octets as text.
   *
   * @param encoding `"utf8"`; where the runtime has `Buffer`, any encoding that it knows, with `start` and `end`.
   */
  override toString(encoding?: string, start?: number, end?: number): string {
    if (encoding === undefined || bufferPrototype === undefined) return decoder.decode(this);
    return (bufferPrototype.toString as EncodedString).call(this, encoding, start, end);
  }

  /** A copy of some of the octets, or of all, with memory of its own; `Buffer.prototype.slice` would share it. */
  override slice(start?: number, end?: number): Frame & Uint8Array<ArrayBuffer> {
    return new Frame(this.subarray(start, end)) as Frame & Uint8Array<ArrayBuffer>;
  }

  /**
   * The octets as JSON text, parsed.
   *
   * @throws {SyntaxError} When they are not JSON.
   */
  json<T = unknown>(): T {
    return JSON.parse(decoder.decode(this));
  }
}

if (bufferPrototype !== undefined) Object.setPrototypeOf(Frame.prototype, bufferPrototype);

/** A frame as it is received; zeromq.js's name for it. */
export type Message = Frame;

/**
 * What can be sent as one frame: octets as they are, text as UTF-8, a number as its decimal text, `null` as an empty
 * frame. Long octets (32 kB and more) are not copied: do not change them before the message has left.
 */
export type MessageLike =
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | string
  | number
  | null;

/** A frame ready to be encoded. */
export type Part = Uint8Array | string;

/** One message ready to be routed: one frame, several, or frames as another peer encoded them. */
export type Outgoing = Part | Part[] | Span;

const EMPTY = new Uint8Array(0);

/** The octets of a view or a buffer, not copied; undefined for anything else. */
export function viewOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

/** The octets or the text of one frame. */
function toPart(value: MessageLike): Part {
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  if (value === null) return EMPTY;
  const octets = viewOf(value);
  if (octets !== undefined) return octets;
  if (isShared(value)) return new Uint8Array(value as SharedArrayBuffer);
  if (value === undefined) {
    throw withCode(
      new TypeError("Message must be present: a string, octets, a number or null"),
      "EINVAL",
    );
  }
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") {
    return String(value);
  }
  throw withCode(
    new TypeError(
      `Cannot send ${
        describe(value)
      } as a frame: give a string, octets, a number or null; for objects JSON.stringify(…)`,
    ),
    "EINVAL",
  );
}

/** The message that `send` was given. */
export function toOutgoing(value: MessageLike | readonly MessageLike[]): Outgoing {
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  if (!Array.isArray(value)) return toPart(value as MessageLike);
  if (value.length === 0) {
    throw withCode(
      new TypeError("Cannot send an empty array: a message has at least one frame"),
      "EINVAL",
    );
  }
  return value.length === 1 ? toPart(value[0]) : value.map(toPart);
}

/** The frames of a message, one or several. */
export function framesOf(message: Outgoing): Part[] {
  if (Array.isArray(message)) return message;
  return message instanceof Span ? bodiesOf(message) : [message];
}

/** Octets to be overwritten in full: not cleared first, where the runtime allows it. */
export function uncleared(size: number): Uint8Array {
  return bufferClass === undefined ? new Uint8Array(size) : bufferClass.allocUnsafeSlow(size);
}

/** The octets of a part; text is encoded. */
export function toBytes(part: Part): Uint8Array {
  return typeof part === "string" ? encoder.encode(part) : part;
}

function isShared(value: unknown): boolean {
  return typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer;
}

/** What a value of a wrong type is, for messages of errors. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "object" || typeof value === "function") {
    return `a value of type ${(value as object).constructor?.name ?? typeof value}`;
  }
  return `a ${typeof value}`;
}
