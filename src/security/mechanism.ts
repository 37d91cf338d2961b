// What every security mechanism is to a session: a state machine of commands, without I/O (RFC 37, "Mechanisms").

import type { CurveKeys } from "../core/curve_keys.ts";
import { AuthenticationError, ProtocolError, type ZmqError } from "../errors.ts";
import { quoted } from "../quoted.ts";
import { type Command, decodeError } from "../wire/command.ts";
import type { MechanismName } from "../wire/greeting.ts";
import type { Metadata } from "../wire/metadata.ts";

/** A property that this side announces. */
export type Property = readonly [name: string, value: Uint8Array];

/** The frames to send next. */
export type Answer = Uint8Array[];

/** The handshake of one connection. What it rejects or throws ends the connection. */
export interface Mechanism {
  /** The name in the greeting. */
  readonly name: MechanismName;
  /** The as-server octet of the greeting. */
  readonly asServer: boolean;
  /**
   * What peers that know no mechanisms cannot give; undefined where nothing is asked for, and `start` needs nothing of the
   * peer either.
   */
  readonly demands: string | undefined;
  /** It may answer with an ERROR command. */
  readonly mayRefuse: boolean;
  /** The peer's properties, once the handshake is complete. */
  readonly peer: Metadata | undefined;
  /** What the ZAP handler said of the peer. */
  readonly admission: Metadata | undefined;
  /** What frames are sealed with from then on. */
  readonly keys?: CurveKeys | undefined;
  /** Both greetings are in. */
  start(): Answer | Promise<Answer>;
  /** Takes the peer's command. Not while an answer is pending. */
  receive(command: Command): Answer | Promise<Answer>;
  /** The connection is over, or the handshake: what was needed for it is forgotten. */
  end(): void;
}

/** Thrown where the peer is told the reason of an error. */
export class Refusal {
  readonly error: ZmqError;
  readonly reason: string;

  constructor(error: ZmqError, reason: string) {
    this.error = error;
    this.reason = reason;
  }
}

/** The error for a command that the peer must not send now. What a server, or a peer without a role, says in ERROR counts. */
export function unexpected(
  { name, data }: Command,
  { name: mechanism, asServer }: Mechanism,
  expected: string,
): ZmqError {
  if (name === "ERROR" && !asServer) return refused(decodeError(data));
  return new ProtocolError(
    "ERR_ZMTP_UNEXPECTED_COMMAND",
    `The peer sent ${name} where the ${mechanism} mechanism expects ${expected}`,
  );
}

/** The error for the reason in an ERROR command: a status of the peer's ZAP handler, or another. */
function refused(reason: string): ZmqError {
  switch (reason) {
    case "300":
      return new AuthenticationError(
        300,
        "Temporary error: the peer cannot let anybody in now",
        true,
      );
    case "400":
      return new AuthenticationError(
        400,
        "Authentication failure: the peer does not let us in",
        true,
      );
    case "500":
      return new AuthenticationError(500, "Internal error: the peer's authentication failed", true);
  }
  return new ProtocolError(
    "ERR_ZMTP_UNSPECIFIED",
    `The peer refused the handshake: ${
      // Anybody can send it: it must not look like lines of a log.
      reason === "" ? "it gave no reason" : quoted(reason, 255)}`,
  );
}

/** The error for a command whose parts are not what they must be. */
export function malformed(name: string, what: string): ProtocolError {
  return new ProtocolError(
    `ERR_ZMTP_MALFORMED_COMMAND_${name}`,
    `The peer sent a malformed ${name}: ${what}`,
  );
}
