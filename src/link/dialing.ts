// One attempt to connect to an endpoint: names become addresses, which are tried one after the other, or a proxy is asked.

import {
  type HostPort,
  isWebSocket,
  type NetworkEndpoint,
  type StreamAddress,
  type StreamEndpoint,
  type WebSocketEndpoint,
} from "../endpoint.ts";
import type { OptionValues } from "../options.ts";
import type { LinkHost } from "./host.ts";
import { resolveLocal, resolveRemote } from "./names.ts";
import { throughProxy } from "./socks.ts";
import type { ByteStream, TlsTrust } from "./stream.ts";
import { limited } from "./timed.ts";
import { ClientSide } from "./websocket/sides.ts";
import { WebSocketStream } from "./websocket/web_socket_stream.ts";

/**
 * Connects within `connectTimeout`, each address for itself.
 *
 * @throws What the runtime, the resolver or the proxy says; the signal's reason when aborted.
 */
export async function dial(
  endpoint: StreamEndpoint,
  host: LinkHost,
  signal: AbortSignal,
): Promise<ByteStream> {
  if (endpoint.transport === "ipc") {
    return await attempt({ path: endpoint.path }, undefined, host, signal);
  }
  if (!isWebSocket(endpoint)) return await dialNetwork(endpoint, host, signal);
  const { runtime } = host.around;
  const stream = await dialNetwork(endpoint, host, signal);
  const secured = endpoint.transport === "wss"
    ? runtime.tls!.connect(stream, trustOf(endpoint, host.options))
    : stream;
  return new WebSocketStream(secured, new ClientSide(endpoint), host);
}

async function dialNetwork(
  endpoint: NetworkEndpoint,
  host: LinkHost,
  signal: AbortSignal,
): Promise<ByteStream> {
  const { options, around: { runtime } } = host;
  const { source: from } = endpoint as { source?: HostPort };
  const source = from && {
    host: await resolveLocal(endpoint, from.host, runtime, options.ipv6),
    port: from.port,
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

/** Whom a connection over TLS trusts. */
function trustOf(endpoint: WebSocketEndpoint, options: OptionValues): TlsTrust {
  const { wssHostname, wssTrustPem, wssTrustSystem } = options;
  return {
    hostname: wssHostname || endpoint.host,
    verifyName: wssHostname !== "",
    authorities: wssTrustPem ?? undefined,
    system: wssTrustSystem || wssTrustPem === null,
  };
}

/** The proxy resolves the name of the target by itself. */
async function dialProxy(
  target: NetworkEndpoint,
  source: HostPort | undefined,
  host: LinkHost,
  signal: AbortSignal,
): Promise<ByteStream> {
  const { options, around: { runtime } } = host;
  const proxy = options.socksProxy!;
  const at = proxy.lastIndexOf(":");
  const port = Number(proxy.slice(at + 1));
  const name = proxy.slice(0, at).replace(/^\[|\]$/g, "");
  const endpoint: NetworkEndpoint = {
    transport: "tcp",
    text: target.text,
    host: name,
    port,
    source: undefined,
  };
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
