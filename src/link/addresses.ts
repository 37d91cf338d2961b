// Who is at the other end of a stream.

import { formatHostPort, type StreamAddress } from "../endpoint.ts";
import type { ByteStream } from "./stream.ts";

/** The peer's address as an endpoint; a peer of the ipc transport has none of its own. */
export function peerAddress(remote: StreamAddress, endpoint: string): string {
  // A connection that is over already may have lost its address.
  if ("path" in remote || remote.host === "") return endpoint;
  const [transport] = /^wss?(?=:)/.exec(endpoint) ?? ["tcp"];
  return `${transport}://${formatHostPort(remote)}`;
}

/** The address of the peer's host, without a port. */
export function hostOf({ remote }: ByteStream): string {
  return "host" in remote ? remote.host : "";
}
