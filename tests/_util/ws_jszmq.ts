// jszmq's sockets for ws_ends.ts, where what differs from libzmq's is evened out.

import type { PeerSocketType } from "./peer.ts";
import type { DrivenEvent, DrivenSocket } from "./ws_ends.ts";

interface Buffers {
  from(octets: Uint8Array): Uint8Array;
  from(text: string): Uint8Array;
}

interface JsSocket {
  readonly options: { routingId: string | Uint8Array; reconnectInterval: number };
  readonly binds: readonly {
    readonly server: {
      address(): { readonly port: number };
      once(event: "listening", listener: () => void): void;
      once(event: "error", listener: (error: Error) => void): void;
    };
  }[];
  /** Of a ROUTER: its peers by the hex text of their ids. */
  readonly pipes?: ReadonlyMap<string, unknown>;
  /** Of one that publishes. */
  readonly distribution?: { unmatch(): void };
  on(event: "message", listener: (...frames: Uint8Array[]) => void): void;
  bind(address: string): void;
  connect(address: string): void;
  send(frames: Uint8Array[]): void;
  subscribe(topic: Uint8Array): void;
  unsubscribe(topic: Uint8Array): void;
  close(): void;
}

const { process, Buffer } = globalThis as unknown as {
  process: {
    getBuiltinModule(name: "node:module"): {
      createRequire(url: string): (name: string) => Readonly<Record<string, new () => JsSocket>>;
    };
  };
  Buffer: Buffers;
};
const jszmq = process.getBuiltinModule("node:module").createRequire(import.meta.url)("jszmq");

/** jszmq's names of the types. */
const NAMES: Readonly<Partial<Record<PeerSocketType, string>>> = {
  Pair: "Pair",
  Push: "Push",
  Pull: "Pull",
  Request: "Req",
  Reply: "Rep",
  Dealer: "Dealer",
  Router: "Router",
  Publisher: "Pub",
  Subscriber: "Sub",
  XPublisher: "XPub",
  XSubscriber: "XSub",
};
const RECONNECT_MS = 50;
const WAIT_MS = 30_000;

/** Opens a socket of jszmq. Of the options it has the routing id; a ROUTER is always mandatory, nothing has marks. */
export function openJszmq(
  type: PeerSocketType,
  { routingId }: Record<string, unknown>,
): DrivenSocket {
  const socket = new jszmq[NAMES[type]!]();
  socket.options.reconnectInterval = RECONNECT_MS;
  if (routingId !== undefined) socket.options.routingId = String(routingId);
  return new JszmqSocket(socket, type);
}

class JszmqSocket implements DrivenSocket {
  readonly #socket: JsSocket;
  readonly #type: PeerSocketType;
  readonly #messages: Uint8Array[][] = [];
  #arrived: () => void = () => {};

  constructor(socket: JsSocket, type: PeerSocketType) {
    this.#socket = socket;
    this.#type = type;
    socket.on("message", (...frames) => {
      this.#messages.push(frames);
      this.#arrived();
    });
  }

  /** It listens at every address of the machine, and wants a path. */
  async bind(endpoint: string): Promise<string> {
    this.#socket.bind(endpoint.replace(/:\*/, ":0"));
    const { server } = this.#socket.binds.at(-1)!;
    await new Promise<void>((resolve, reject) => {
      server.once("listening", resolve);
      server.once("error", reject);
    });
    return endpoint.replace(/:(?:\d+|\*)/, `:${server.address().port}`);
  }

  connect(endpoint: string): void {
    this.#socket.connect(endpoint);
  }

  // deno-lint-ignore require-await -- so that what it throws is a rejection
  async send(frames: Uint8Array[]): Promise<void> {
    // Its PUB goes on sending all to who was sent something once: it does not call this, as libzmq's does.
    this.#socket.distribution?.unmatch();
    const [first, ...rest] = frames.map((frame) => Buffer.from(frame));
    if (this.#type !== "Router") return this.#socket.send([first, ...rest]);
    const id = innerId(first);
    if (!this.#socket.pipes!.has(id.toString("hex"))) {
      throw Object.assign(new Error("no such peer"), { code: "EHOSTUNREACH" });
    }
    this.#socket.send([id, ...rest]);
  }

  async receive(): Promise<Uint8Array[]> {
    if (this.#messages.length === 0) {
      const arrival = Promise.withResolvers<void>();
      this.#arrived = arrival.resolve;
      const timer = setTimeout(() => arrival.reject(new Error("nothing arrives")), WAIT_MS);
      await arrival.promise.finally(() => clearTimeout(timer));
    }
    const frames = this.#messages.shift()!;
    if (this.#type === "Router") frames[0] = outerId(frames[0]);
    return frames;
  }

  // deno-lint-ignore require-await -- so that what it throws is a rejection
  async request(first: 0 | 1, topic: Uint8Array): Promise<void> {
    if (this.#type === "XSubscriber") {
      this.#socket.send([Buffer.from(Uint8Array.of(first, ...topic))]);
    } else if (first === 1) this.#socket.subscribe(Buffer.from(topic));
    else this.#socket.unsubscribe(Buffer.from(topic));
  }

  /** It tells nothing. */
  eventLog(): readonly DrivenEvent[] {
    return [];
  }

  // deno-lint-ignore require-await -- so that what it throws is a rejection
  async close(): Promise<void> {
    try {
      this.#socket.close();
    } catch (error) {
      // It throws while it connects, and is closed all the same.
      if (!/closed before/.test((error as Error).message)) throw error;
    }
  }
}

// jszmq's ROUTER shows a peer's own id behind an octet 0, and one that it gave behind an octet 1, as libzmq does inside.

function outerId(id: Uint8Array): Uint8Array {
  return id[0] === 0 ? id.subarray(1) : id;
}

function innerId(id: Uint8Array): { toString(encoding: "hex"): string } & Uint8Array {
  const inner = id[0] === 1 ? id : Uint8Array.of(0, ...id);
  return Buffer.from(inner) as { toString(encoding: "hex"): string } & Uint8Array;
}
