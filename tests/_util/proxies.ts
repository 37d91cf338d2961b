// Proxies in tests: sockets bound on any port, a proxy that runs until the test is over.

import type { Proxy, Socket } from "../../mod.ts";
import { anywhere, type Transport } from "./anywhere.ts";
import type { Cleanup } from "./cleanup.ts";

/** A proxy, and what its `run` answered. */
export interface Running {
  readonly proxy: Proxy;
  readonly run: Promise<void>;
}

/** Binds both sockets, each to an endpoint of its own. */
export async function boundPair<F extends Socket, B extends Socket>(
  cleanup: Cleanup,
  transport: Transport,
  front: F,
  back: B,
): Promise<[F, B]> {
  for (const socket of [front, back]) {
    cleanup.add(socket);
    await socket.bind(anywhere(transport));
  }
  return [front, back];
}

/** Runs the proxy; ends it with the test. */
export function started(cleanup: Cleanup, proxy: Proxy): Running {
  const run = proxy.run();
  run.catch(() => {}); // a test that wants to know looks at it
  cleanup.add({
    async close(): Promise<void> {
      await Promise.all([proxy.frontEnd, proxy.backEnd].map((socket) => {
        socket.linger = 0;
        return socket.close();
      }));
    },
  });
  return { proxy, run };
}
