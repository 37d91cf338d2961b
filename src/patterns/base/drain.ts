// All messages of a socket, in runs: a promise for each of them would cost as much as the work, and what the work sends would
// leave in as many writes.

import type { Frame, Readable } from "../../../mod.ts";

/** So many at most without a look at the event loop. */
const RUN = 256;

/** Hands over each message of a socket until it is closed; waits where `take` asks for it. */
export async function drain(
  socket: Readable & { readonly closed: boolean },
  take: (message: Frame[]) => void | Promise<void>,
): Promise<void> {
  for (;;) {
    let message: Frame[] | undefined;
    try {
      message = await socket.receive();
    } catch (error) {
      if (socket.closed) return;
      throw error;
    }
    for (let left = RUN; message !== undefined; left--) {
      const waiting = take(message);
      if (waiting !== undefined) await waiting;
      if (socket.closed) return;
      message = left > 0 ? socket.tryReceive() : undefined;
    }
  }
}
