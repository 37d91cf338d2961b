// Who a peer is, as its handshake tells.

/** A version of ZMTP, or of ZeroMQ over WebSocket, as it is spoken on a connection. */
export type Protocol = "3.1" | "3.0" | "2.0" | "1.0" | "ZWS2.0" | "ZWS1.0";

/** What a peer said about itself. */
export interface PeerIdentity {
  /** Its socket type; empty when it did not say. */
  readonly socketType: string;
  /** The routing id it announced; empty when it has none. */
  readonly routingId: Uint8Array;
  /** All its properties, by their names in lower case. */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
}
