// What a socket says of itself: in the handshake of a stream, and to a peer of the same context, which needs none.

import { routingIdBytes } from "../option_values.ts";
import type { OptionValues } from "../options.ts";
import type { PeerIdentity } from "../peer.ts";
import type { Property } from "../security/mechanism.ts";
import { announcesIdentity, type SocketType } from "../wire/socket_type.ts";

/** The socket, as far as it matters here. */
export interface Introduced {
  readonly type: SocketType;
  readonly options: OptionValues;
}

const NOTHING = new Uint8Array(0);
const utf8 = new TextEncoder();

/** The routing id that is announced, which may be empty. */
export function routingIdOf({ type, options }: Introduced): Uint8Array {
  return announcesIdentity(type) ? routingIdBytes(options.routingId) : NOTHING;
}

/** The properties of a READY command (RFC 37). */
export function propertiesOf(socket: Introduced): Property[] {
  const { type, options } = socket;
  const properties: Property[] = [["Socket-Type", utf8.encode(type)]];
  if (announcesIdentity(type)) properties.push(["Identity", routingIdOf(socket)]);
  for (const [name, value] of Object.entries(options.properties)) {
    properties.push([name, utf8.encode(value)]);
  }
  return properties;
}

/** The same as a peer keeps it. */
export function identityOf(socket: Introduced): PeerIdentity {
  const metadata = new Map(
    propertiesOf(socket).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return {
    socketType: socket.type,
    routingId: metadata.get("identity") ?? NOTHING,
    metadata,
  };
}
