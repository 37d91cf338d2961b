// One attempt to connect to an endpoint: names become addresses, which are tried one after the other, or a proxy is asked.

import type { HostPort, IpcEndpoint, StreamAddress, TcpEndpoint } from "../endpoint.ts";
import { ZmqError } from "../errors.ts";
import type { LinkHost } from "./host.ts";
import { resolveLocal, resolveRemote } from "./names.ts";
import { throughProxy } from "./socks.ts";
import type { ByteStream } from "./stream.ts";

/**
 * Connects within `connectTimeout`, each address for itself.
 *
 * @throws What the runtime, the resolver or the proxy says; the signal's reason when aborted.
 */
export async function dial(
  endpoint: TcpEndpoint | IpcEndpoint,
  host: LinkHost,
  signal: AbortSignal,
): Promise<ByteStream> {
  if (endpoint.transport === "ipc") {
    return await attempt({ path: endpoint.path }, undefined, host, signal);
  }
  const { options, around: { runtime } } = host;
  const source = endpoint.source && {
    host: await resolveLocal(endpoint, endpoint.source.host, runtime, options.ipv6),
    port: endpoint.source.port,
  };
  if (options.socksProxy !== null) return await dialProxy(endpoint, source, host, signal);
  const { port } = endpoint;
  const addresses = await resolveRemote(endpoint, runtime, options.ipv6);
  return await first(
    addresses,
    signal,
    (address) => attempt({ host: address, port }, source, host, signal),
  );
}

/** The proxy resolves the name of the target by itself. */
async function dialProxy(
  target: TcpEndpoint,
  source: HostPort | undefined,
  host: LinkHost,
  signal: AbortSignal,
): Promise<ByteStream> {
  const { options, around: { runtime } } = host;
  const proxy = options.socksProxy!;
  const at = proxy.lastIndexOf(":");
  const port = Number(proxy.slice(at + 1));
  const name = proxy.slice(0, at).replace(/^\[|\]$/g, "");
  const endpoint: TcpEndpoint = { ...target, host: name, port, source: undefined };
  const addresses = await resolveRemote(endpoint, runtime, options.ipv6);
  return await first(addresses, signal, (address) =>
    limited(host, signal, async (limit) => {
      const stream = await runtime.connect({ host: address, port }, source, options, limit);
      return await throughProxy(stream, target, options, limit);
    }));
}

/** Tries the addresses one after the other. */
async function first(
  addresses: readonly string[],
  signal: AbortSignal,
  connect: (address: string) => Promise<ByteStream>,
): Promise<ByteStream> {
  let failure: unknown;
  for (const address of addresses) {
    signal.throwIfAborted();
    try {
      return await connect(address);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function attempt(
  to: StreamAddress,
  source: HostPort | undefined,
  host: LinkHost,
  signal: AbortSignal,
): Promise<ByteStream> {
  const { options, around: { runtime } } = host;
  return limited(host, signal, (limit) => runtime.connect(to, source, options, limit));
}

/** Ends a call by `connectTimeout`, or with `signal`. */
function limited<T>(
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
