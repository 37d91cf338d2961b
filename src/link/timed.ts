// A limit on how long an attempt to connect takes.

import { ZmqError } from "../errors.ts";
import type { LinkHost } from "./host.ts";

/** Ends a call by `connectTimeout`, or with `signal`. */
export function limited<T>(
  host: LinkHost,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { connectTimeout } = host.options;
  return connectTimeout === 0 ? call(signal) : ended(connectTimeout, host, signal, call);
}

async function ended<T>(
  connectTimeout: number,
  { around: { clock } }: LinkHost,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const stop = () => abort.abort(signal.reason);
  signal.addEventListener("abort", stop);
  const late = new ZmqError("ETIMEDOUT", `No connection within ${connectTimeout} ms`);
  const cancel = clock.after(connectTimeout, () => abort.abort(late));
  try {
    return await call(abort.signal);
  } finally {
    cancel();
    signal.removeEventListener("abort", stop);
  }
}
