// A socket bound to a real port and a healthy peer of it, which go on from case to case.

import {
  Context,
  curveKeyPair,
  Dealer,
  type Event,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { textOf } from "../_util/bytes.ts";
import { eventually, within } from "../_util/deadline.ts";
import { checkArgumentError } from "./target.ts";

const WAIT_MS = 10_000;
/** How long a REQ waits for an answer before it asks again. */
const PATIENCE_MS = 50;
const ANY_PORT = "tcp://127.0.0.1:*";
const SERVER = curveKeyPair();
const CLIENT = curveKeyPair();

interface Sending {
  send(message: (Uint8Array | string)[]): Promise<void>;
}

interface Receiving {
  receive(): Promise<Uint8Array[]>;
}

/** How a kind of socket and its healthy peer are opened, and how a message goes between them. */
interface Kind {
  open(options: object): Socket;
  healthy(options: object): Socket;
  exchange(socket: never, healthy: never, text: string): Promise<void>;
}

async function until(socket: Receiving, text: string): Promise<Uint8Array[]> {
  for (;;) {
    const frames = await socket.receive();
    if (frames.some((frame) => textOf(frame) === text)) return frames;
  }
}

async function towards(socket: Receiving, healthy: Sending, text: string): Promise<void> {
  await healthy.send([text, "tail"]);
  await until(socket, text);
}

/** Others may be given some of what the socket sends: it sends until the healthy peer has something. */
async function away(socket: Sending, healthy: Receiving, text: string): Promise<void> {
  let heard = false;
  const hearing = until(healthy, text).then(() => void (heard = true));
  hearing.catch(() => {}); // thrown below
  for (let i = 0; i < 100 && !heard; i++) {
    await socket.send([text, "tail"]);
    for (let wait = 0; wait < 20 && !heard; wait++) await new Promise((go) => setTimeout(go, 1));
  }
  await hearing;
}

const subscribed = (): Subscriber => {
  const sub = new Subscriber({ receiveTimeout: WAIT_MS });
  sub.subscribe("well");
  return sub;
};

/** All kinds of bound sockets. */
export const KINDS: Readonly<Record<string, Kind>> = {
  PULL: { open: (o) => new Pull(o), healthy: (o) => new Push(o), exchange: towards },
  PUSH: { open: (o) => new Push(o), healthy: (o) => new Pull(o), exchange: away },
  PUB: { open: (o) => new Publisher(o), healthy: subscribed, exchange: away },
  XPUB: { open: (o) => new XPublisher(o), healthy: subscribed, exchange: away },
  SUB: {
    open: (o) => {
      const sub = new Subscriber(o);
      sub.subscribe("well");
      return sub;
    },
    healthy: (o) => new Publisher(o),
    exchange: towards,
  },
  XSUB: { open: (o) => new XSubscriber(o), healthy: (o) => new XPublisher(o), exchange: xsub },
  PAIR: { open: (o) => new Pair(o), healthy: (o) => new Pair(o), exchange: towards },
  DEALER: { open: (o) => new Dealer(o), healthy: (o) => new Dealer(o), exchange: towards },
  ROUTER: {
    open: (o) => new Router(o),
    healthy: (o) => new Dealer({ ...o, routingId: "healthy" }),
    exchange: async (router: Router, dealer: Dealer, text: string) => {
      await dealer.send(text);
      const [id, body] = await until(router, text);
      await router.send([id, body]);
      await until(dealer, text);
    },
  },
  REP: { open: (o) => new Reply(o), healthy: (o) => new Request(o), exchange: answer },
  REQ: {
    open: (o) => new Request({ ...o, relaxed: true, correlate: true }),
    healthy: (o) => new Reply(o),
    exchange: request,
  },
  STREAM: { open: (o) => new Stream(o), healthy: (o) => new Stream(o), exchange: stream },
};

async function xsub(socket: XSubscriber, healthy: XPublisher, text: string): Promise<void> {
  await socket.send(Uint8Array.of(1));
  // The socket's request may be on its way.
  while (healthy.tryReceive() !== undefined);
  await eventually(() => healthy.topicsCount > 0, WAIT_MS);
  await towards(socket, healthy, text);
}

/** A REP answers whoever asks. */
async function answer(rep: Reply, req: Request, text: string): Promise<void> {
  await req.send(text);
  for (let asked = ""; asked !== text;) {
    const frames = await rep.receive();
    asked = frames.length === 0 ? "" : textOf(frames[0]);
    await rep.send(frames);
  }
  await until(req, text);
}

/** A REQ asks again until it is the healthy peer who answers, and in time: strangers may be asked and say nothing. */
async function request(req: Request, rep: Reply, text: string): Promise<void> {
  const over = new AbortController();
  const serving = serve(rep, over.signal);
  try {
    for (let i = 0; i < 500; i++) {
      await req.send(text);
      const answer = await req.receive({ signal: AbortSignal.timeout(PATIENCE_MS) })
        .catch(() => []); // too late: it asks again
      if (answer.some((frame) => textOf(frame) === text)) return;
    }
    throw new Error("the healthy peer is not asked, or not heard");
  } finally {
    over.abort();
    await serving;
  }
}

async function serve(rep: Reply, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const frames = await rep.receive({ signal }).catch(() => undefined); // it is over
    if (frames !== undefined) await rep.send(frames);
  }
}

/** Where a STREAM reaches the one that it is connected to. */
const ids = new WeakMap<Stream, Uint8Array>();

/** Octets come in pieces of any size, from others as well. */
async function stream(socket: Stream, healthy: Stream, text: string): Promise<void> {
  const id = ids.get(healthy) ?? (await healthy.receive())[0];
  ids.set(healthy, id);
  await healthy.send([id, `<${text}>`]);
  const heard = new Map<string, string>();
  for (;;) {
    const [from, octets] = await socket.receive();
    const said = (heard.get(textOf(from)) ?? "") + textOf(octets);
    if (said.endsWith(`<${text}>`)) return;
    heard.set(textOf(from), said.slice(-100));
  }
}

/** One bound socket, its healthy peer and what it told. */
export class TcpStage {
  readonly socket: Socket;
  readonly #healthy: Socket;
  readonly #kind: Kind;
  readonly #context = new Context();
  readonly #secure: boolean;
  #count = 0;
  #peers = 0;
  /** What is wrong with an event. */
  #wrong: unknown;

  private constructor(type: string, secure: boolean) {
    this.#kind = KINDS[type];
    this.#secure = secure;
    const common = { context: this.#context, linger: 0 };
    const server = {
      curveServer: true,
      curvePublicKey: SERVER.publicKey,
      curveSecretKey: SERVER.secretKey,
    };
    this.socket = this.#kind.open(common);
    this.#healthy = this.#kind.healthy(common);
    for (const socket of [this.socket, this.#healthy]) {
      for (const name of ["sendTimeout", "receiveTimeout"]) {
        if (name in socket) Object.assign(socket, { [name]: WAIT_MS });
      }
    }
    if (secure) {
      Object.assign(this.socket, server);
      Object.assign(this.#healthy, this.clientOptions);
    }
    for (const type of WATCHED) this.socket.events.on(type, (event) => this.#look(event));
  }

  /** Options of whoever wants to be let in. */
  get clientOptions(): object {
    if (!this.#secure) return {};
    return {
      curveServerKey: SERVER.publicKey,
      curvePublicKey: CLIENT.publicKey,
      curveSecretKey: CLIENT.secretKey,
    };
  }

  static async open(type: string, secure: boolean): Promise<TcpStage> {
    const stage = new TcpStage(type, secure);
    const { socket } = stage;
    await socket.bind(ANY_PORT);
    stage.#healthy.connect(socket.lastEndpoint!);
    await eventually(() => socket.stats().peers.length === 1, WAIT_MS, "the healthy peer");
    stage.#peers = 1;
    await stage.exchange();
    return stage;
  }

  /** A message of the healthy peer arrives, or one reaches it. */
  async exchange(): Promise<void> {
    const text = `well ${this.#count++}`;
    const { socket } = this;
    await within(
      this.#kind.exchange(socket as never, this.#healthy as never, text),
      2 * WAIT_MS,
      "the healthy peer is served",
    );
    if (this.#wrong !== undefined) throw this.#wrong;
  }

  /** Everybody else is gone. */
  async alone(): Promise<void> {
    await eventually(
      () => this.socket.stats().peers.length <= this.#peers,
      WAIT_MS,
      "the strangers are gone",
    );
  }

  async close(): Promise<void> {
    await within(
      Promise.all([this.socket.close(), this.#healthy.close()]),
      WAIT_MS,
      "the sockets close",
    );
    await within(this.#context.terminate(), WAIT_MS, "the context ends");
  }

  #look(event: Event): void {
    const { error } = event as { error?: unknown };
    try {
      if (error !== undefined) checkEventError(error);
    } catch (wrong) {
      this.#wrong = wrong;
    }
  }
}

const WATCHED = [
  "handshake:error:protocol",
  "handshake:error:auth",
  "handshake:error:other",
  "disconnect",
  "accept:error",
] as const;

/** An error of ours, or one of the system's with its code. */
function checkEventError(error: unknown): void {
  const { code } = error as { code?: unknown };
  if (error instanceof Error && typeof code === "string" && /^E[A-Z]+$/.test(code)) return;
  checkArgumentError(error);
}
