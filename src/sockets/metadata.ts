// Where a received message came from.

import type { Frame } from "../message.ts";
import type { Pipe } from "../routing/pipe.ts";

/** What is known of the peer that sent a message. `zmq_msg_gets`. */
export interface MessageMetadata {
  /** The address of the peer's host, without a port; empty for ipc and inproc. `Peer-Address`. */
  readonly peerAddress: string;
  /** The peer's socket type, e.g. `"DEALER"`; empty when it did not say. `Socket-Type`. */
  readonly socketType: string;
  /** The routing id that the peer announced; empty when it has none. `Identity`. */
  readonly routingId: Uint8Array;
  /** Who the ZAP handler says the peer is; empty when it was not asked. `User-Id`. */
  readonly userId: string;
  /** All properties of the peer's handshake, by their names in lower case. */
  readonly properties: ReadonlyMap<string, Uint8Array>;
  /** A property as text by its name, in upper or lower case, `"Peer-Address"` among them. */
  get(name: string): string | undefined;
}

const NOTHING = new Uint8Array(0);
const NO_PROPERTIES: ReadonlyMap<string, Uint8Array> = new Map();
const kept: WeakMap<readonly Frame[], MessageMetadata> = new WeakMap();
/** One for each connection: its messages have it in common. */
const known: WeakMap<object, MessageMetadata> = new WeakMap();

/** Remembers the pipe that a message came by. */
export function keepMetadata(message: readonly Frame[], pipe: Pipe | undefined): void {
  if (pipe?.peer === undefined) return;
  let metadata = known.get(pipe.peer);
  if (metadata === undefined) known.set(pipe.peer, metadata = metadataFrom(pipe));
  kept.set(message, metadata);
}

function metadataFrom({ peer, peerHost }: Pipe): MessageMetadata {
  return {
    peerAddress: peerHost,
    socketType: peer?.socketType ?? "",
    routingId: peer?.routingId ?? NOTHING,
    userId: new TextDecoder().decode(peer?.metadata.get("user-id")),
    properties: peer?.metadata ?? NO_PROPERTIES,
    get(name) {
      const key = name.toLowerCase();
      if (key === "peer-address") return this.peerAddress;
      const value = this.properties.get(key);
      return value && new TextDecoder().decode(value);
    },
  };
}

/**
 * What is known of the peer that sent a message, which must be the array that `receive` gave, of a socket with
 * `attachMetadata`; undefined for any other.
 *
 * @example Who asks?
 * ```ts
 * import { metadataOf, Reply, Request } from "@wasmq/wasmq";
 *
 * const reply = new Reply({ attachMetadata: true });
 * await reply.bind("tcp://127.0.0.1:*");
 * const request = new Request({ properties: { "X-Department": "sales" } });
 * request.connect(reply.lastEndpoint!);
 * await request.send("hello");
 *
 * const message = await reply.receive();
 * const metadata = metadataOf(message)!;
 * console.log(metadata.peerAddress, metadata.get("X-Department")); // "127.0.0.1 sales"
 *
 * await reply.send("");
 * await request.receive();
 * await request.close();
 * await reply.close();
 * ```
 */
export function metadataOf(message: readonly Frame[]): MessageMetadata | undefined {
  return kept.get(message);
}
