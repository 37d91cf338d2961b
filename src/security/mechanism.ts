// What every security mechanism is to a session: a state machine of commands, without I/O (RFC 37, "Mechanisms").

import type { Command } from "../wire/command.ts";
import type { Metadata } from "../wire/metadata.ts";

/** A property that this side announces. */
export type Property = readonly [name: string, value: Uint8Array];

/** The handshake of one connection. */
export interface Mechanism {
  /** The name in the greeting. */
  readonly name: string;
  /** The as-server octet of the greeting. */
  readonly asServer: boolean;
  /** The peer's properties, once the handshake is complete. */
  readonly peer: Metadata | undefined;
  /** The frames to send when both greetings are in. */
  start(): Uint8Array[];
  /** Takes the peer's command and answers the frames to send. Throws a ProtocolError. */
  receive(command: Command): Uint8Array[];
}
