// A ZAP handler as any program would write one (RFC 27): a REP or ROUTER socket at the name that all of them have, which
// a test tells what to answer.

import { type Context, type MessageLike, Reply, Router } from "../../mod.ts";
import { textOf, textsOf, utf8 } from "./bytes.ts";
import { concat } from "./octets.ts";

/** Where servers look for a handler. */
export const ZAP_ENDPOINT = "inproc://zeromq.zap.01";

/** What a server asks. */
export interface ZapRequest {
  /** All frames after the empty one, as they came. */
  readonly frames: readonly Uint8Array[];
  readonly version: string;
  readonly id: Uint8Array;
  readonly domain: string;
  readonly address: string;
  readonly identity: Uint8Array;
  readonly mechanism: string;
  readonly credentials: readonly Uint8Array[];
}

/** The frames of a reply after the empty one; undefined for none, ever. */
export type ZapAnswer = readonly MessageLike[] | undefined;

/** What a handler does with a request. */
export type ZapBehaviour = (request: ZapRequest) => ZapAnswer | Promise<ZapAnswer>;

/** The parts of a reply that a test wants to be otherwise. */
export interface ZapReplyParts {
  readonly version?: MessageLike;
  readonly id?: MessageLike;
  readonly status?: MessageLike;
  readonly text?: MessageLike;
  readonly userId?: MessageLike;
  readonly metadata?: MessageLike;
}

/** The types that a handler may be. */
export type HandlerType = "REP" | "ROUTER";

/** Both of them. */
export const HANDLER_TYPES: readonly HandlerType[] = ["REP", "ROUTER"];

/** The frames of a reply: a success, unless parts of it are given. */
export function zapReply(request: ZapRequest, parts: ZapReplyParts = {}): MessageLike[] {
  return [
    parts.version ?? "1.0",
    parts.id ?? (request.id as Uint8Array<ArrayBuffer>),
    parts.status ?? "200",
    parts.text ?? "OK",
    parts.userId ?? "",
    parts.metadata ?? "",
  ];
}

/** Lets everybody in. */
export const letIn: ZapBehaviour = (request) => zapReply(request);

/** Answers everybody with this status. */
export function withStatus(status: string): ZapBehaviour {
  return (request) => zapReply(request, { status, text: "as the test wants it" });
}

/** Lets in who is right, and answers all others with 400. */
export function letInIf(isRight: (request: ZapRequest) => boolean): ZapBehaviour {
  return (request) => zapReply(request, isRight(request) ? {} : { status: "400", text: "No" });
}

/** Lets in those who give this name and password. */
export function password(username: string, word: string): ZapBehaviour {
  return letInIf(({ mechanism, credentials }) =>
    mechanism === "PLAIN" && textsOf(credentials).join("\0") === `${username}\0${word}`
  );
}

/** Properties as the metadata frame of a reply has them. */
export function zapMetadata(properties: Readonly<Record<string, string>>): Uint8Array {
  return concat(
    ...Object.entries(properties).flatMap(([name, text]) => {
      const value = utf8(text);
      const size = new Uint8Array(4);
      new DataView(size.buffer).setUint32(0, value.length);
      return [Uint8Array.of(name.length), utf8(name), size, value];
    }),
  );
}

/** A handler, and what it was asked. */
export class ZapHandler {
  /** All requests, in order. */
  readonly requests: ZapRequest[] = [];
  readonly #socket: Reply | Router;
  readonly #type: HandlerType;
  readonly #behave: ZapBehaviour;
  /** When the last answer was sent. */
  #over: Promise<unknown> = Promise.resolve();

  private constructor(context: Context, behave: ZapBehaviour, type: HandlerType) {
    this.#socket = type === "REP" ? new Reply({ context }) : new Router({ context });
    this.#socket.linger = 0;
    this.#type = type;
    this.#behave = behave;
  }

  /** Opens a handler. */
  static async open(
    context: Context,
    behave: ZapBehaviour = letIn,
    type: HandlerType = "REP",
  ): Promise<ZapHandler> {
    const handler = new ZapHandler(context, behave, type);
    await handler.#socket.bind(ZAP_ENDPOINT);
    handler.#over = handler.#serve();
    return handler;
  }

  /** Closes it; who waits for an answer gets none. */
  async close(): Promise<void> {
    await this.#socket.close();
  }

  async #serve(): Promise<void> {
    for await (const frames of this.#socket) {
      const answered = this.#answer(frames);
      // A REP has one request at a time, and no other before its answer; a ROUTER may be busy with many.
      if (this.#type === "REP" && !await answered) return;
    }
  }

  /** True when an answer was sent. */
  async #answer(frames: readonly Uint8Array[]): Promise<boolean> {
    const envelope = this.#type === "REP" ? 0 : frames.findIndex(({ length }) => length === 0) + 1;
    const request = readRequest(frames.slice(envelope));
    this.requests.push(request);
    const answer = await this.#behave(request);
    if (answer === undefined) return false;
    await this.#socket.send([...frames.slice(0, envelope), ...answer] as MessageLike[])
      .catch((error: { code?: string }) => {
        if (error.code !== "EBADF") throw error; // closed by a test that does not wait for it
      });
    return true;
  }
}

function readRequest(frames: readonly Uint8Array[]): ZapRequest {
  const [version, id, domain, address, identity, mechanism, ...credentials] = frames;
  return {
    frames,
    version: textOf(version),
    id,
    domain: textOf(domain),
    address: textOf(address),
    identity,
    mechanism: textOf(mechanism),
    credentials,
  };
}
