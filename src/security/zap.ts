// ZAP, the protocol between a socket and the handler that knows whom to let in (RFC 27), and when it is spoken.

import { AuthenticationError, ProtocolError, ZmqError } from "../errors.ts";
import { quoted } from "../quoted.ts";
import { decodeMetadata, type Metadata } from "../wire/metadata.ts";
import { Refusal } from "./mechanism.ts";

/** Where the handler of a context is bound, as a name of the inproc transport. */
export const ZAP_NAME = "zeromq.zap.01";

const VERSION = "1.0";
/** Parts of a reply. */
const REPLY_PARTS = 7;
/** The longest text in a request or a reply. */
const TEXT_LIMIT = 255;

const NOTHING = new Uint8Array(0);
const EVERYBODY: Metadata = new Map();
const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { ignoreBOM: true });

/** A question to the handler. */
export interface Question {
  /** The answer; undefined when there is no handler. Rejects when the handler is gone before it answers. */
  readonly reply: Promise<readonly Uint8Array[]> | undefined;
  /** The answer does not matter any more. */
  cancel(): void;
}

/** How a socket asks the handler of its context. */
export type Ask = (request: Uint8Array[]) => Question;

/** What a socket's options say about ZAP. */
export interface DoorRules {
  /** `zapDomain`, which may be empty. */
  readonly domain: string;
  /** `zapEnforceDomain` */
  readonly enforced: boolean;
}

let last = 0;

/** The door of one connection. */
export class Door {
  readonly #rules: DoorRules;
  readonly #address: string;
  readonly #ask: Ask;
  #question: Question | undefined;
  #closed = false;

  /** `address` is that of the peer's host, without a port; empty for transports that have none. */
  constructor(rules: DoorRules, address: string, ask: Ask) {
    this.#rules = rules;
    this.#address = address;
    this.#ask = ask;
  }

  /** Peers without credentials are let in unasked. */
  get isOpen(): boolean {
    return this.#rules.domain === "";
  }

  /**
   * Lets a peer in and answers what the handler says of it; throws or rejects with the reason why not. As libzmq: PLAIN needs
   * a handler, NULL asks it for a domain only, CURVE also without one; a handler that is missing lets them in unless
   * `zapEnforceDomain` is set.
   */
  admit(
    mechanism: "NULL" | "PLAIN" | "CURVE",
    credentials: readonly Uint8Array[],
  ): Metadata | Promise<Metadata> {
    const { domain, enforced } = this.#rules;
    const asks = !this.isOpen || mechanism === "PLAIN" || (mechanism === "CURVE" && !enforced);
    if (!asks) return EVERYBODY;
    if (this.#closed) throw new ZmqError("ECANCELED", "The peer is gone before it was asked about");
    const id = String(++last);
    const { reply } = this.#question = this.#ask([
      NOTHING,
      ...[VERSION, id, domain, this.#address, "", mechanism].map((part) => utf8.encode(part)),
      ...credentials,
    ]);
    if (reply !== undefined) return reply.then((frames) => readReply(frames, id));
    if (mechanism !== "PLAIN" && !enforced) return EVERYBODY;
    throw new ZmqError(
      "EFAULT",
      `Cannot let a peer in: no ZAP handler is bound to inproc://${ZAP_NAME} in this context; ` +
        "make an Authenticator, or bind a Reply there",
    );
  }

  /** The connection is over. */
  close(): void {
    this.#closed = true;
    this.#question?.cancel();
  }
}

/** What a reply says of the peer: its user id, and properties. */
function readReply(frames: readonly Uint8Array[], id: string): Metadata {
  if (frames.length !== REPLY_PARTS || frames[0].length > 0) {
    throw broken(
      "MALFORMED_REPLY",
      `${frames.length} parts, where an empty one and six more belong`,
    );
  }
  const [version, echo, status, reason, userId] = frames.slice(1).map((part) => text.decode(part));
  if (version !== VERSION) throw broken("BAD_VERSION", `a version other than ${VERSION}`);
  if (echo !== id) throw broken("BAD_REQUEST_ID", "the id of another request");
  switch (status) {
    case "200":
      return admission(frames[5], userId, frames[6]);
    case "300":
      throw new AuthenticationError(300, `Temporary error: ${said(reason)}`, false);
    case "400":
      throw new Refusal(
        new AuthenticationError(400, `Authentication failure: ${said(reason)}`, false),
        status,
      );
    case "500":
      throw new Refusal(
        new AuthenticationError(500, `Internal error: ${said(reason)}`, false),
        status,
      );
  }
  throw broken("INVALID_STATUS_CODE", "a status other than 200, 300, 400 and 500");
}

function said(reason: string): string {
  const what = reason === "" ? "without a reason" : quoted(reason, TEXT_LIMIT);
  return `the ZAP handler did not let the peer in, ${what}`;
}

function admission(userId: Uint8Array, name: string, properties: Uint8Array): Metadata {
  if (userId.length > TEXT_LIMIT) {
    throw broken("MALFORMED_REPLY", `a user id of more than ${TEXT_LIMIT} octets`);
  }
  let metadata: Map<string, Uint8Array>;
  try {
    metadata = new Map(decodeMetadata(properties));
  } catch (cause) {
    throw broken("INVALID_METADATA", "metadata that cannot be read", cause);
  }
  if (name !== "") metadata.set("user-id", new Uint8Array(userId));
  return metadata;
}

function broken(code: string, what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`ERR_ZAP_${code}`, `The ZAP handler answered with ${what}`, { cause });
}
