// Programs in which a scenario of authentication plays, libzmq's and ours with the same methods: what both sides tell can
// be compared for every meeting of the two, libzmq's with itself among them.

import { Context, type Event, type Pair, Router } from "../../mod.ts";
import { textOf, toHex, utf8 } from "./bytes.ts";
import { eventually } from "./deadline.ts";
import { EventLog } from "./event_log.ts";
import { type MessageSpec, type PeerEvent, type PeerOptions, startPeer } from "./peer.ts";
import type { Peer, PeerSocket, PeerSocketType, ZapRule } from "./peer.ts";
import { CLASSES } from "./option_table.ts";
import { ANY_PORT } from "./ports.ts";
import { echo, exchange, receiveMany, receiveSequence, sendMany, sendSequence } from "./traffic.ts";

/** Whose program it is. */
export type Library = "wasmq" | "libzmq";

/** The types that can be authenticated. */
export type SecureType = Exclude<PeerSocketType, "Stream">;

/** A socket of a stage: what a {@linkcode PeerSocket} can do. */
export type End =
  & { readonly library: Library }
  & Pick<
    PeerSocket,
    | "bind"
    | "connect"
    | "disconnect"
    | "close"
    | "send"
    | "receive"
    | "sendMany"
    | "receiveMany"
    | "sendSequence"
    | "receiveSequence"
    | "exchange"
    | "echo"
    | "subscribe"
    | "unsubscribe"
    | "eventLog"
    | "set"
  >;

/** A program. */
export interface Stage {
  readonly library: Library;
  open(type: SecureType, options?: PeerOptions): Promise<End>;
  /** Answers who may connect, by rules that replace former ones; from now on, for good. */
  handleZap(...rules: ZapRule[]): Promise<void>;
  /** The frames of each request since this was asked last. */
  zapRequests(): Promise<Uint8Array[][]>;
  /** Ends it, sockets and all. */
  stop(): Promise<void>;
}

/** Where RFC 27 has handlers. */
export const ZAP = "inproc://zeromq.zap.01";
const WAIT_MS = 30_000;

interface AnySocket {
  linger: number;
  readonly lastEndpoint: string | null;
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
  disconnect(endpoint: string): void;
  subscribe(...topics: (string | Uint8Array)[]): void;
  unsubscribe(...topics: (string | Uint8Array)[]): void;
  send(frames: (string | Uint8Array)[]): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  close(): Promise<void>;
}

/** Opens a program of either library. */
export function openStage(library: Library): Stage {
  return library === "libzmq" ? new LibzmqStage(startPeer()) : new OurStage();
}

/** Opens our socket with options that its typings need not know. */
export function openOurSocket(type: SecureType, options: object): AnySocket {
  const sends = type === "Pull" || type === "Subscriber" ? {} : { sendTimeout: WAIT_MS };
  const receives = type === "Push" || type === "Publisher" ? {} : { receiveTimeout: WAIT_MS };
  const made = new CLASSES[type]({ linger: 0, ...sends, ...receives, ...options });
  return made as unknown as AnySocket;
}

/** A process with libzmq. */
export class LibzmqStage implements Stage {
  readonly library = "libzmq" as const;
  readonly peer: Peer;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  async open(type: SecureType, options: PeerOptions = {}): Promise<End> {
    return Object.assign(await this.peer.open(type, options), { library: this.library } as const);
  }

  handleZap(...rules: ZapRule[]): Promise<void> {
    return this.peer.handleZap(...rules);
  }

  zapRequests(): Promise<Uint8Array[][]> {
    return this.peer.zapRequests();
  }

  stop(): Promise<void> {
    return this.peer.stop();
  }
}

/** A context of this process. */
export class OurStage implements Stage {
  readonly library = "wasmq";
  readonly context: Context = new Context();
  readonly #sockets: AnySocket[] = [];
  #handler: OurHandler | undefined;

  // deno-lint-ignore require-await -- as the other stage has it
  async open(type: SecureType, options: PeerOptions = {}): Promise<End> {
    const socket = openOurSocket(type, { ...options, context: this.context });
    this.#sockets.push(socket);
    return new OurEnd(socket);
  }

  async handleZap(...rules: ZapRule[]): Promise<void> {
    if (this.#handler) this.#handler.rules = rules;
    else this.#handler = await OurHandler.start(this.context, rules);
  }

  zapRequests(): Promise<Uint8Array[][]> {
    return Promise.resolve(this.#handler?.requests.splice(0) ?? []);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#sockets.splice(0).map((socket) => {
        socket.linger = 0;
        return socket.close();
      }),
    );
    await this.#handler?.stop();
  }
}

/** Our socket with the methods of a libzmq peer's. */
class OurEnd implements End {
  readonly library = "wasmq";
  readonly #socket: AnySocket;
  readonly #log: EventLog;

  constructor(socket: AnySocket) {
    this.#socket = socket;
    this.#log = new EventLog(socket as unknown as Pair);
  }

  async bind(endpoint = ANY_PORT): Promise<string> {
    await this.#socket.bind(endpoint);
    return this.#socket.lastEndpoint!;
  }

  // deno-lint-ignore require-await -- as the other end has it
  async connect(endpoint: string): Promise<void> {
    this.#socket.connect(endpoint);
  }

  // deno-lint-ignore require-await -- as the other end has it
  async disconnect(endpoint: string): Promise<void> {
    this.#socket.disconnect(endpoint);
  }

  // deno-lint-ignore require-await -- as the other end has it
  async set(option: string, value: string | number | boolean | null): Promise<void> {
    (this.#socket as unknown as Record<string, unknown>)[option] = value;
  }

  // deno-lint-ignore require-await -- as the other end has it
  async subscribe(...topics: (string | Uint8Array)[]): Promise<void> {
    this.#socket.subscribe(...topics);
  }

  // deno-lint-ignore require-await -- as the other end has it
  async unsubscribe(...topics: (string | Uint8Array)[]): Promise<void> {
    this.#socket.unsubscribe(...topics);
  }

  send(...frames: (string | Uint8Array)[]): Promise<void> {
    return this.#socket.send(frames);
  }

  receive(): Promise<Uint8Array[]> {
    return this.#socket.receive();
  }

  sendMany(spec: MessageSpec, ...prefix: (string | Uint8Array)[]): Promise<void> {
    return sendMany(this.#socket, spec, prefix.map((x) => typeof x === "string" ? x : textOf(x)));
  }

  receiveMany(spec: MessageSpec, skip = 0): Promise<void> {
    return receiveMany(this.#socket, spec, skip);
  }

  sendSequence(from: number, to: number, filler = 0): Promise<void> {
    return sendSequence(this.#socket, from, to, filler);
  }

  receiveSequence(count: number): ReturnType<PeerSocket["receiveSequence"]> {
    return receiveSequence(this.#socket, count);
  }

  exchange(spec: MessageSpec): Promise<void> {
    return exchange(this.#socket, spec);
  }

  echo(count: number): Promise<void> {
    return echo(this.#socket, count);
  }

  eventLog(): Promise<readonly PeerEvent[]> {
    return Promise.resolve(this.#log.all.map(likeZeromq));
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}

/** A handler that RFC 27 knows nothing of but its frames: a ROUTER, as it need not answer. */
class OurHandler {
  rules: readonly ZapRule[];
  readonly requests: Uint8Array[][] = [];
  readonly #socket: Router;
  readonly #over: Promise<void>;

  private constructor(socket: Router, rules: readonly ZapRule[]) {
    this.#socket = socket;
    this.rules = rules;
    this.#over = this.#answer();
  }

  static async start(context: Context, rules: readonly ZapRule[]): Promise<OurHandler> {
    const router = new Router({ context, linger: 0 });
    await router.bind(ZAP);
    return new OurHandler(router, rules);
  }

  async stop(): Promise<void> {
    await this.#socket.close();
    await this.#over;
  }

  async #answer(): Promise<void> {
    for await (const [id, delimiter, ...request] of this.#socket) {
      this.requests.push(request.map((frame) => Uint8Array.from(frame)));
      const rule = this.rules.find((rule) => fits(rule, request));
      if (!rule?.reply) continue;
      const reply = rule.reply.map((frame) => frame === "id" ? request[1] : frame);
      await this.#socket.send([id, delimiter, ...reply]);
    }
  }
}

function fits({ when = {} }: ZapRule, request: readonly Uint8Array[]): boolean {
  const [, , domain, , , mechanism, ...credentials] = request;
  const join = (frames: readonly (string | Uint8Array)[]): string =>
    frames.map((frame) => toHex(typeof frame === "string" ? utf8(frame) : frame)).join();
  return (when.mechanism ?? textOf(mechanism)) === textOf(mechanism) &&
    (when.domain ?? textOf(domain)) === textOf(domain) &&
    (when.credentials === undefined || join(when.credentials) === join(credentials));
}

/** Of one of our events what zeromq.js has too. */
function likeZeromq(event: Event): PeerEvent {
  const { type, address, interval, error } = event as {
    type: string;
    address: string;
    interval?: number;
    error?: { code?: string; status?: number };
  };
  // zeromq.js has the status of a refusal, and no code beside it.
  const ofError = error?.status === undefined ? { code: error?.code } : { status: error.status };
  return {
    type,
    address,
    ...(interval !== undefined && { interval }),
    ...(error !== undefined && ofError),
  } as PeerEvent;
}

/** An event in few words: its type, and the code or status of its error. */
export function inShort({ type, code, status }: PeerEvent): string {
  const detail = status ?? code;
  return detail === undefined ? type : `${type} ${detail}`;
}

/** Waits until an end has told of `event`, `times` times; all that it told then. */
export async function tells(
  end: Pick<End, "eventLog">,
  event: string,
  times = 1,
): Promise<string[]> {
  let told: string[] = [];
  await eventually(
    async () => {
      told = (await end.eventLog()).map(inShort);
      return told.filter((text) => text === event || text.startsWith(`${event} `)).length >= times;
    },
    15_000,
    event,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; it told ${told.join(", ")}`);
  });
  return told;
}
