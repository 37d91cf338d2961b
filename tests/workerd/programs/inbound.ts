// A worker that accepts ZMTP: a socket for each connection, as `/serve` says, or a Durable Object with one for all.

import * as zmq from "../../../workerd.ts";
import { findDifference, makeMessage } from "../../_util/messages.mjs";
import type { MessageSpec } from "../../_util/peer.ts";
import { answer, type Query } from "./answer.ts";

/** A connection, as workerd gives it to `connect`. */
type Connection = Parameters<zmq.Socket["accept"]>[0];

interface Stub {
  fetch(request: Request): Promise<Response>;
  connect(address: string, options: { allowHalfOpen: boolean }): {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
  };
}

interface Env {
  readonly Hub: { idFromName(name: string): unknown; get(id: unknown): Stub };
}

const RECEIVES = { receiveTimeout: 30_000 } as const;
/** Between looks at what no event tells. */
const LOOK_MS = 5;

const NOBODY: Query = { type: "nobody" };

/** What is done with connections: those to the hub, or the next one alone. libzmq connects again when it is over. */
let serve = NOBODY;
const outcomes: unknown[] = [];

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function receiveAll(socket: zmq.Pull, spec: MessageSpec): Promise<number> {
  for (let i = 0; i < spec.count; i++) {
    const difference = findDifference(await socket.receive(), spec, i);
    if (difference) throw new Error(difference);
  }
  return spec.count;
}

async function pull(connection: Connection, spec: MessageSpec): Promise<number> {
  const socket = new zmq.Pull(RECEIVES);
  const over = socket.accept(connection);
  await receiveAll(socket, spec);
  await over;
  await socket.close();
  return socket.stats().messagesIn;
}

async function router(connection: Connection): Promise<number> {
  const socket = new zmq.Router();
  const over = socket.accept(connection).then(() => socket.close());
  for await (const frames of socket) await socket.send(frames);
  await over;
  return socket.stats().messagesIn;
}

async function publish(socket: zmq.Publisher, spec: MessageSpec, peers: number): Promise<void> {
  while (socket.stats().peers.filter((peer) => peer.subscriptions > 0).length < peers) {
    await pause(LOOK_MS);
  }
  for (let i = 0; i < spec.count; i++) await socket.send(makeMessage(spec, i));
}

async function publisher(connection: Connection, spec: MessageSpec): Promise<number> {
  const socket = new zmq.Publisher({ sendHighWaterMark: 0 });
  const over = socket.accept(connection);
  await publish(socket, spec, 1);
  await socket.close();
  await over;
  return socket.stats().messagesOut;
}

async function guest(connection: Connection, { type, ...query }: Query): Promise<unknown> {
  const spec = JSON.parse(query.spec) as MessageSpec;
  if (type === "pull") return await pull(connection, spec);
  if (type === "router") return await router(connection);
  return await publisher(connection, spec);
}

/** Sockets that all connections share. */
export class Hub {
  readonly #router: zmq.Router = new zmq.Router();
  readonly #publisher: zmq.Publisher = new zmq.Publisher({ sendHighWaterMark: 0 });
  readonly #pull: zmq.Pull = new zmq.Pull({ ...RECEIVES, receiveHighWaterMark: 10 });
  readonly #events: { type: string; code: string }[] = [];

  constructor() {
    for (const type of ["handshake:error:protocol", "disconnect", "accept"] as const) {
      this.#router.events.on(type, (event) => {
        const { error } = event as { error?: zmq.EventError };
        this.#events.push({ type, code: error?.code ?? "" });
      });
    }
    void this.#echo();
  }

  async #echo(): Promise<void> {
    for await (const frames of this.#router) await this.#router.send(frames);
  }

  connect(connection: Connection): Promise<void> {
    if (serve.type === "hub/pull") return this.#pull.accept(connection);
    return (serve.type === "hub/publisher" ? this.#publisher : this.#router).accept(connection);
  }

  fetch(request: Request): Promise<Response> {
    return answer(request, {
      "/hub/peers": () => this.#router.stats().peers.length,
      "/hub/events": () => this.#events,
      "/hub/pulled": () => this.#pull.stats().messagesIn,
      "/hub/pull": ({ spec }) => receiveAll(this.#pull, JSON.parse(spec)),
      "/hub/publish": async ({ spec, peers }) => {
        await publish(this.#publisher, JSON.parse(spec), Number(peers));
        return this.#publisher.stats().peers.length;
      },
    });
  }
}

function hub({ Hub }: Env): Stub {
  return Hub.get(Hub.idFromName("hub"));
}

export default {
  async connect(connection: Connection, env: Env): Promise<void> {
    if (serve.type.startsWith("hub")) {
      const { readable, writable } = hub(env).connect("hub:1", { allowHalfOpen: true });
      const pair = connection as unknown as TransformStream<Uint8Array>;
      await Promise.allSettled([pair.readable.pipeTo(writable), readable.pipeTo(pair.writable)]);
      return;
    }
    const query = serve;
    serve = NOBODY;
    if (query === NOBODY) return;
    try {
      outcomes.push(await guest(connection, query));
    } catch (error) {
      outcomes.push(String(error));
    }
  },
  fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname.startsWith("/hub/")) return hub(env).fetch(request);
    return answer(request, {
      "/serve": (query) => {
        serve = query;
        return 1;
      },
      "/outcomes": () => outcomes.splice(0),
    });
  },
};
