// A worker that serves ZeroMQ over WebSocket beside its pages: a socket for each request, or a Durable Object with some for
// all.

import * as zmq from "../../../workerd.ts";
import { upgrade } from "../../../src/sockets/upgrade.ts";

interface Env {
  readonly Hub: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

async function echo(router: zmq.Router): Promise<void> {
  for await (const frames of router) await router.send(frames);
}

function serve(socket: zmq.Socket, request: Request): Response {
  return upgrade(socket, request) ?? new Response("Only WebSockets", { status: 426 });
}

/** Sockets that all connections share. */
export class Hub {
  readonly #router: zmq.Router = new zmq.Router();
  readonly #publisher: zmq.Publisher = new zmq.Publisher({ sendHighWaterMark: 0 });

  constructor() {
    void echo(this.#router);
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/hub/router") return serve(this.#router, request);
    if (pathname === "/hub/publisher") return serve(this.#publisher, request);
    await this.#publisher.send(["news", pathname]);
    return Response.json(this.#publisher.stats().peers.length);
  }
}

export default {
  async fetch(request: Request, { Hub }: Env): Promise<Response> {
    if (new URL(request.url).pathname.startsWith("/hub")) {
      return await Hub.get(Hub.idFromName("hub")).fetch(request);
    }
    const router = new zmq.Router();
    void echo(router);
    return serve(router, request);
  },
};
