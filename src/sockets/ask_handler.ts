// A question to the ZAP handler of a context: one connection over inproc for each, so that a handler that mixes answers up,
// never answers or goes away harms nobody else.

import { ZmqError } from "../errors.ts";
import { Monitor } from "../events.ts";
import { Census } from "../link/census.ts";
import { defaultOptions } from "../option_values.ts";
import { DealerPattern } from "../routing/dealer.ts";
import { type Question, ZAP_NAME } from "../security/zap.ts";
import type { ContextParts } from "./context.ts";
import { Engine } from "./engine.ts";
import { SocketSecurity } from "./socket_security.ts";

/** There is no handler. */
const NO_QUESTION: Question = { reply: undefined, cancel() {} };

/** Asks whoever is bound to the handler's name in the context. */
export function askHandler(around: ContextParts, request: Uint8Array[]): Question {
  if (around.inproc.find(ZAP_NAME) === undefined) return NO_QUESTION;
  const monitor = new Monitor();
  const options = defaultOptions();
  options.linger = 0;
  options.reconnectInterval = -1;
  // It is no socket of the context's: it does not count, and needs no closing when the context ends.
  const engine = new Engine("DEALER", new DealerPattern(), {
    options,
    around,
    monitor,
    census: new Census(),
    security: new SocketSecurity(around.memory, () => NO_QUESTION),
  });
  engine.unlimited = true;
  const reply = new Promise<readonly Uint8Array[]>((resolve, reject) => {
    monitor.watch(({ type }) => {
      if (type === "disconnect") reject(gone());
    });
    engine.watch(() => {
      const frames = engine.closed ? undefined : engine.tryReceive();
      if (frames !== undefined) resolve(frames);
      else if (engine.closed) reject(gone());
    });
    engine.connect(`inproc://${ZAP_NAME}`);
    engine.send(request).catch(reject);
  });
  const cancel = () => {
    // A handler that is slow should not have to go through questions that nobody waits for.
    engine.withdraw();
    void engine.close();
  };
  reply.then(cancel, cancel);
  return { reply, cancel };
}

function gone(): ZmqError {
  return new ZmqError(
    "ECONNRESET",
    "The ZAP handler went away before it answered, or is no Reply, Router or Dealer",
  );
}
