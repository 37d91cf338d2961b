/**
 * A web service before a ZeroMQ one: each request is answered by asking a REP service over tcp.
 *
 *   GET /bolt   {"item":"bolt","count":40}
 *
 * @module
 */

import { Request as Question, ZmqError } from "../../workerd.ts";

/** What the worker is configured with. */
interface Env {
  /** Where the REP service is. */
  readonly STOCK?: string;
}

/** How long the service may take, in milliseconds. */
const PATIENCE = 2_000;

async function ask(address: string, item: string): Promise<number> {
  // Sockets live as long as their handler: one for each request.
  const service = new Question({ receiveTimeout: PATIENCE, linger: 0 });
  try {
    service.connect(address);
    await service.send(item);
    const [count] = await service.receive();
    return Number(count);
  } finally {
    await service.close();
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const item = decodeURIComponent(new URL(request.url).pathname.slice(1));
    if (item === "") return Response.json({ error: "ask for an item: /bolt" }, { status: 404 });
    try {
      return Response.json({ item, count: await ask(env.STOCK ?? "tcp://127.0.0.1:5555", item) });
    } catch (error) {
      if (!(error instanceof ZmqError) || error.code !== "EAGAIN") throw error;
      return Response.json({ error: `no answer from the stock in ${PATIENCE} ms` }, {
        status: 504,
      });
    }
  },
};
