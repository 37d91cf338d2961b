// What is wrong with the WebSocket frames of a peer (RFC 6455, section 5; RFC 45), as errors and close codes that name it.

import {
  COMMAND_LIMIT,
  READ_BAD_CONTINUATION,
  READ_BAD_CONTROL,
  READ_BAD_EMPTY,
  READ_BAD_FLAG,
  READ_BAD_LENGTH,
  READ_BAD_MASK,
  READ_BAD_OPCODE,
  READ_BAD_RESERVED,
  READ_BAD_START,
  READ_BAD_TEXT,
  ZWS_COMMAND,
} from "../../wasm/layout.ts";
import { NOT_BINARY, PROTOCOL_ERROR, TOO_LONG } from "../close_codes.ts";
import { ProtocolError } from "../errors.ts";
import { WebSocketFault } from "../wire/websocket/fault.ts";
import { orMost } from "./frame_faults.ts";

const FIN = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;

/** What a status of the core says of the frame that begins with these octets. */
export function faultOf(status: number, frame: Uint8Array, limit: number): WebSocketFault {
  const [first] = frame;
  switch (status) {
    case READ_BAD_RESERVED:
      return fault(`a frame with the reserved bits ${hex(first & RESERVED)}, for no extension`);
    case READ_BAD_OPCODE:
      return fault(`a frame with the unknown opcode ${hex(first & 15)}`);
    case READ_BAD_CONTROL:
      return fault(
        (first & FIN) === 0
          ? `a fragmented control frame, with the opcode ${hex(first & 15)}`
          : "a control frame of more than the 125 octets allowed",
      );
    case READ_BAD_MASK:
      return fault(
        (frame[1] & MASKED) === 0
          ? "a frame without a mask, which those of a client must have"
          : "a frame with a mask, which only those of a client have",
      );
    case READ_BAD_LENGTH:
      return fault(`a frame that gives its length in a wrong way, as ${lengthOf(frame)}`);
    case READ_BAD_TEXT:
      return fault("a text message, where ZeroMQ's are binary", NOT_BINARY);
    case READ_BAD_EMPTY:
      return badEmpty();
    case READ_BAD_FLAG:
      return badFlags(flagsOf(frame));
    case READ_BAD_CONTINUATION:
      return fault("a continuation, with no message to go on");
    case READ_BAD_START:
      return fault("a message that begins inside another one");
    default:
      return tooLong(lengthOf(frame) - 1n, limit);
  }
}

/** The fault for a message without any octets. */
export function badEmpty(): WebSocketFault {
  return fault("an empty message, without the octet for its flags");
}

/** The fault for a message with these flags. */
export function badFlags(flags: number): WebSocketFault {
  return fault(
    flags === ZWS_COMMAND
      ? `a command, with the flags ${hex(flags)}, where the subprotocol has none`
      : `a message with the unknown flags ${hex(flags)}`,
  );
}

/** The fault for a message that announces a body of so many octets. */
export function tooLong(size: bigint | number, limit: number): WebSocketFault {
  const most = orMost(limit);
  // Within the limit of messages only a command is too long.
  const command = size <= most;
  return new WebSocketFault(
    TOO_LONG,
    new ProtocolError(
      "EMSGSIZE",
      `The peer announced a ${command ? "command" : "frame"} of ${size} octets, more than the ${
        command ? COMMAND_LIMIT : most
      } allowed` + (command || limit < 0 ? "" : "; maxMessageSize sets the limit"),
    ),
  );
}

function fault(what: string, closeCode = PROTOCOL_ERROR): WebSocketFault {
  return new WebSocketFault(
    closeCode,
    new ProtocolError("ERR_WS_FRAME", `The peer sent ${what}`),
  );
}

/** Where the mask key of a frame is, or its payload when it has none. */
function keyAt(frame: Uint8Array): number {
  const length = frame[1] & ~MASKED;
  return length < 126 ? 2 : length === 126 ? 4 : 10;
}

function lengthOf(frame: Uint8Array): bigint {
  const end = keyAt(frame);
  let length = end === 2 ? BigInt(frame[1] & ~MASKED) : 0n;
  for (const octet of frame.subarray(2, end)) length = length * 256n + BigInt(octet);
  return length;
}

function flagsOf(frame: Uint8Array): number {
  const at = keyAt(frame);
  return (frame[1] & MASKED) === 0 ? frame[at] : frame[at] ^ frame[at + 4];
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}
