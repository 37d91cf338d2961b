// Jupyter's messages and how they lie on the wire: routing ids, a delimiter, a signature, four JSON objects, buffers.

import { createHmac, timingSafeEqual } from "node:crypto";

/** Any JSON object. */
export type Json = { readonly [name: string]: unknown };

/** Who sent what. Fields that are not named here go round as they came. */
export interface Header extends Json {
  readonly msg_id: string;
  readonly msg_type: string;
  readonly session: string;
}

/** A message that came in. */
export interface Message {
  /** The routing ids of who sent it. */
  readonly identities: readonly Uint8Array[];
  readonly header: Header;
  readonly parent: Json;
  readonly metadata: Json;
  readonly content: Json;
  readonly buffers: readonly Uint8Array[];
}

/** A message that goes out. */
export interface Outgoing {
  readonly type: string;
  /** The header of the message that it answers or is an effect of; empty without one. */
  readonly parent: Json;
  readonly content: Json;
  readonly metadata?: Json | undefined;
}

/** Why frames are no message that may be believed. */
export class MessageError extends Error {
  override readonly name: string = "MessageError";
  readonly reason: "malformed" | "signature" | "replayed";

  constructor(reason: MessageError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The version of the protocol. */
export const PROTOCOL_VERSION = "5.3";
const DELIMITER = "<IDS|MSG>";
const DICTIONARIES = ["header", "parent header", "metadata", "content"];
/** So many signatures are remembered. */
const REMEMBERED = 65_536;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Writes and reads messages with one key. */
export class Wire {
  /** The kernel's session, in all headers that it writes. */
  readonly session: string = crypto.randomUUID();
  readonly #key: string;
  readonly #digest: string;
  readonly #seen = new Set<string>();
  readonly #remembered: number;

  constructor(key: string, digest: string = "sha256", remembered: number = REMEMBERED) {
    this.#key = key;
    this.#digest = digest;
    this.#remembered = remembered;
    this.#sign([]); // an unknown digest is told now
  }

  /** The frames of a message, after these frames: routing ids, or a topic. */
  write(prefix: readonly (Uint8Array | string)[], message: Outgoing): (Uint8Array | string)[] {
    const header = {
      msg_id: crypto.randomUUID(),
      session: this.session,
      username: "kernel",
      date: new Date().toISOString(),
      msg_type: message.type,
      version: PROTOCOL_VERSION,
    };
    const parts = [header, message.parent, message.metadata ?? {}, message.content]
      .map((part) => encoder.encode(JSON.stringify(part)));
    return [...prefix, DELIMITER, this.#sign(parts), ...parts];
  }

  /**
   * Reads the frames of a message.
   *
   * @throws {MessageError} when they are none, or when their signature is wrong or has been seen before.
   */
  read(frames: readonly Uint8Array[]): Message {
    const delimiter = frames.findIndex(isDelimiter);
    if (delimiter < 0) throw malformed(`no ${DELIMITER} in ${frames.length} frames`);
    const parts = frames.slice(delimiter + 2, delimiter + 2 + DICTIONARIES.length);
    if (parts.length < DICTIONARIES.length) {
      throw malformed(`${frames.length - delimiter - 1} frames after the delimiter instead of 5`);
    }
    this.#check(frames[delimiter + 1], parts);
    const [header, parent, metadata, content] = parts.map(dictionary);
    for (const field of ["msg_id", "msg_type"]) {
      if (typeof header[field] !== "string") throw malformed(`the header has no ${field}`);
    }
    return {
      identities: frames.slice(0, delimiter).map((frame) => frame.slice()),
      header: header as Header,
      parent,
      metadata,
      content,
      buffers: frames.slice(delimiter + 2 + DICTIONARIES.length),
    };
  }

  #sign(parts: readonly Uint8Array[]): string {
    if (this.#key === "") return "";
    const hmac = createHmac(this.#digest, this.#key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }

  #check(signature: Uint8Array, parts: readonly Uint8Array[]): void {
    if (this.#key === "") return;
    const right = encoder.encode(this.#sign(parts));
    if (signature.length !== right.length || !timingSafeEqual(signature, right)) {
      throw new MessageError("signature", "the signature is wrong");
    }
    const text = decoder.decode(right);
    if (this.#seen.has(text)) throw new MessageError("replayed", "the message came before");
    this.#seen.add(text);
    if (this.#seen.size > this.#remembered) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
  }
}

function isDelimiter(frame: Uint8Array): boolean {
  return frame.length === DELIMITER.length &&
    frame.every((octet, i) => octet === DELIMITER.charCodeAt(i));
}

function dictionary(octets: Uint8Array, index: number): Json {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(octets));
  } catch (error) {
    throw malformed(`the ${DICTIONARIES[index]} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed(`the ${DICTIONARIES[index]} is not an object`);
  }
  return value as Json;
}

function malformed(message: string): MessageError {
  return new MessageError("malformed", message);
}
