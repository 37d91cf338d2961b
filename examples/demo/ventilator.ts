// The ventilator: pushes chunks to whoever has room, and sends again what no worker brought back.

import type { Push } from "../../mod.ts";
import type { Ledger } from "./ledger.ts";

// A worker that dies takes its queue along. Silence while chunks are outstanding means some are lost;
// if they are only late, the ledger ignores the second result.
const SILENCE_MS = 1_000;

/** The work of one run: chunk ids from 0 to `total`, the same texts over and over. */
export interface Work {
  readonly chunks: readonly Uint8Array[];
  readonly total: number;
}

/** The text of one chunk. */
export function textOf(work: Work, id: number): Uint8Array {
  return work.chunks[id % work.chunks.length];
}

/** Sends all chunks until all are counted. Returns how many were sent more than once. */
export async function ventilate(
  push: Push,
  work: Work,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<number> {
  for (let id = 0; id < work.total; id++) {
    await push.send([String(id), textOf(work, id)], { signal });
  }
  let sentAgain = 0;
  while (await silence(ledger, signal)) {
    for (const id of ledger.outstanding()) {
      if (ledger.isCounted(id)) continue;
      await push.send([String(id), textOf(work, id)], { signal });
      sentAgain++;
    }
  }
  return sentAgain;
}

/** Resolves to true once no result has come for a while, to false once none is missing. */
async function silence(ledger: Ledger, signal: AbortSignal): Promise<boolean> {
  const since = performance.now();
  const complete = ledger.completed.then(() => true);
  for (;;) {
    const waitMs = Math.max(since, ledger.lastResultAt) + SILENCE_MS - performance.now();
    if (waitMs <= 0) return true;
    if (await Promise.race([complete, sleep(waitMs, signal)])) return false;
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<false> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve(false);
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
