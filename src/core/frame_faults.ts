// What is wrong with the frames of a peer, as errors that name the limit and what sets it.

import { BODY_LIMIT, COMMAND_LIMIT, FLAG_COMMAND, FLAG_LONG } from "../../wasm/layout.ts";
import { ProtocolError } from "../errors.ts";

/** A limit; negative stands for the highest there is. */
export function orMost(limit: number): number {
  return limit < 0 ? BODY_LIMIT : Math.min(limit, BODY_LIMIT);
}

/** The error for a frame whose flags are unknown. */
export function badFlags(flags: number): ProtocolError {
  const hex = flags.toString(16).padStart(2, "0");
  return new ProtocolError(
    "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
    `The peer sent a frame with the flags 0x${hex}, which ZMTP 3 does not know`,
  );
}

/** The error for a frame that begins with these octets and is too long. */
export function badSize(frame: Uint8Array, limit: number): ProtocolError {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const size = (frame[0] & FLAG_LONG) === 0 ? BigInt(frame[1]) : view.getBigUint64(1);
  const command = (frame[0] & FLAG_COMMAND) !== 0;
  const most = command ? COMMAND_LIMIT : orMost(limit);
  return new ProtocolError(
    "EMSGSIZE",
    `The peer announced a ${
      command ? "command" : "frame"
    } of ${size} octets, more than the ${most} allowed` +
      (command || limit < 0 ? "" : "; maxMessageSize sets the limit"),
  );
}

/** The error for a message of more than `most` frames. */
export function badParts(most: number): ProtocolError {
  return new ProtocolError(
    "EMSGSIZE",
    `The peer sent a message of more than the ${most} parts allowed; maxMessageParts sets the limit`,
  );
}

/** The error for a message of more than `most` octets. */
export function badTotal(most: number): ProtocolError {
  return new ProtocolError(
    "EMSGSIZE",
    `The peer sent a message of more than the ${most} octets allowed for all its parts together; ` +
      "maxMultipartSize sets the limit",
  );
}
