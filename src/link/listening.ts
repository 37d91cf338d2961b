// Listening at an endpoint: names become addresses, and the ipc transport looks after its files.

import {
  type EndpointUse,
  formatEndpoint,
  type IpcEndpoint,
  type StreamAddress,
  type StreamEndpoint,
} from "../endpoint.ts";
import { codeOf, EndpointError, textOf } from "../errors.ts";
import type { LinkHost } from "./host.ts";
import { knownLocal, resolveLocal } from "./names.ts";
import type { Accepted, ByteStream, Listener, Runtime, SocketFiles } from "./stream.ts";

/** What a listener reports to. */
export interface Listening {
  readonly accepted: Accepted;
  readonly failed: (error: unknown) => void;
}

/** A listener and what it leaves behind. */
export interface Bound {
  readonly listener: Listener;
  /** The endpoint that peers can connect to. */
  readonly endpoint: string;
  /** The folder that was made for it. */
  readonly folder: string | undefined;
}

/**
 * Starts to listen.
 *
 * @throws {EndpointError} With the code of the system: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` …
 */
export async function listenAt(
  endpoint: StreamEndpoint,
  { options, around: { runtime } }: LinkHost,
  { accepted, failed }: Listening,
): Promise<Bound> {
  if (endpoint.transport !== "ipc") {
    const host = await resolveLocal(endpoint, endpoint.host, runtime, options.ipv6);
    const at = { host, port: endpoint.port };
    return await guarded(
      endpoint,
      undefined,
      runtime,
      () => runtime.listen(at, options, accepted, failed),
    );
  }
  const { path, folder } = place(endpoint, runtime);
  const listen = () => runtime.listen({ path }, options, accepted, failed);
  return await guarded(endpoint, folder, runtime, async () => {
    try {
      return await listen();
    } catch (error) {
      if (codeOf(error) !== "EADDRINUSE" || !await isStale(path, runtime)) throw error;
      // Its owner died without removing it.
      runtime.socketFiles!.remove(path);
      return await listen();
    }
  });
}

/** As `listenAt`, within the call. */
export function listenAtSync(
  endpoint: StreamEndpoint,
  { options, around: { runtime } }: LinkHost,
  { accepted, failed }: Listening,
): Bound {
  if (runtime.listenSync === undefined) {
    throw refusal(endpoint, "ENOTSUP", `${runtime.name} cannot listen within a call; use bind`);
  }
  const { at, folder } = knownPlace(endpoint, runtime, options.ipv6);
  try {
    return bound(endpoint, runtime.listenSync(at, options, accepted, failed), folder);
  } catch (cause) {
    throw cannotListen(endpoint, folder, runtime, cause);
  }
}

function knownPlace(
  endpoint: StreamEndpoint,
  runtime: Runtime,
  ipv6: boolean,
): { at: StreamAddress; folder: string | undefined } {
  if (endpoint.transport === "ipc") {
    const { path, folder } = place(endpoint, runtime);
    return { at: { path }, folder };
  }
  const host = knownLocal(endpoint.host, runtime, ipv6);
  if (host === undefined) {
    throw refusal(
      endpoint,
      "EINVAL",
      `a host name takes time to be resolved; give an address, or use bind`,
    );
  }
  return { at: { host, port: endpoint.port }, folder: undefined };
}

async function guarded(
  endpoint: StreamEndpoint,
  folder: string | undefined,
  runtime: Runtime,
  listen: () => Promise<Listener>,
): Promise<Bound> {
  try {
    return bound(endpoint, await listen(), folder);
  } catch (cause) {
    throw cannotListen(endpoint, folder, runtime, cause);
  }
}

function bound(
  endpoint: StreamEndpoint,
  listener: Listener,
  folder: string | undefined,
): Bound {
  return { listener, endpoint: formatEndpoint(listener.local, endpoint), folder };
}

/**
 * What is done to each connection first: where peers come over TLS.
 *
 * @throws {EndpointError} `EINVAL` without a key and a certificate that are good.
 */
export function wrapperFor(
  endpoint: StreamEndpoint,
  { options, around: { runtime } }: LinkHost,
): (stream: ByteStream) => ByteStream {
  if (endpoint.transport !== "wss") return (stream) => stream;
  const { wssKeyPem: key, wssCertPem: certificate } = options;
  if (key === null || certificate === null) {
    throw refusal(endpoint, "EINVAL", "wss needs a certificate: set wssKeyPem and wssCertPem");
  }
  try {
    return runtime.tls!.listen({ key, certificate });
  } catch (cause) {
    const why = `wssKeyPem and wssCertPem are no good: ${textOf(cause)}`;
    throw refusal(endpoint, "EINVAL", why, cause);
  }
}

/** The path to listen at; a wildcard gets one in a folder of its own. */
function place(
  endpoint: IpcEndpoint,
  runtime: Runtime,
): { path: string; folder: string | undefined } {
  const files = filesOf(endpoint, runtime, "bind");
  if (!endpoint.wildcard) return { path: endpoint.path, folder: undefined };
  const folder = files.makeFolder();
  return { path: `${folder}/socket`, folder };
}

/**
 * The files of the runtime's local sockets.
 *
 * @throws {EndpointError} `ENOCOMPATPROTO` when it has no local sockets.
 */
export function filesOf(
  endpoint: IpcEndpoint,
  runtime: Runtime,
  use: EndpointUse,
): SocketFiles {
  if (runtime.socketFiles !== undefined) return runtime.socketFiles;
  throw new EndpointError(
    "ENOCOMPATPROTO",
    `Cannot ${use} ${
      JSON.stringify(endpoint.text)
    }: ${runtime.name} has no local sockets on this system; use tcp or inproc`,
    { address: endpoint.text },
  );
}

/** True for the file of a socket at which nobody listens any more. */
async function isStale(path: string, runtime: Runtime): Promise<boolean> {
  if (!runtime.socketFiles!.isSocket(path)) return false;
  const options = { tcpKeepalive: -1, tcpKeepaliveIdle: -1 };
  const abort = new AbortController();
  try {
    const probe = runtime.connect({ path }, undefined, options, abort.signal);
    (await probe).abort();
    return false;
  } catch (error) {
    return codeOf(error) === "ECONNREFUSED";
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the address is in use already",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "the system does not permit it; ports below 1024 need privileges",
  EMFILE: "too many files are open in this process",
  ENOENT: "there is no such folder",
};

function cannotListen(
  endpoint: StreamEndpoint,
  folder: string | undefined,
  runtime: Runtime,
  cause: unknown,
): EndpointError {
  try {
    if (folder !== undefined) runtime.socketFiles!.removeFolder(folder);
  } catch {
    // What is wrong is told already.
  }
  if (cause instanceof EndpointError) return cause;
  const code = codeOf(cause) || "EINVAL";
  return refusal(endpoint, code, REASONS[code] ?? textOf(cause), cause);
}

function refusal(
  { text }: StreamEndpoint,
  code: string,
  why: string,
  cause?: unknown,
): EndpointError {
  return new EndpointError(code, `Cannot bind ${JSON.stringify(text)}: ${why}`, {
    address: text,
    cause,
  });
}
