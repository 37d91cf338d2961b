// Command frames: a short name, then data (RFC 37, "Commands and Messages").

import { FLAG_COMMAND, FLAG_LONG, LONG_HEADER, SHORT_HEADER } from "../../wasm/layout.ts";
import { ProtocolError } from "../errors.ts";

/** A command as its name and its data; the data is a view on the frame. */
export interface Command {
  readonly name: string;
  readonly data: Uint8Array;
}

const text = new TextDecoder("latin1");

/** Commands that come often, and are recognised without making a string. */
const FREQUENT = ["SUBSCRIBE", "CANCEL", "PING", "PONG"];

function isNamed(body: Uint8Array, name: string): boolean {
  if (body[0] !== name.length || body.length <= name.length) return false;
  for (let i = 0; i < name.length; i++) if (body[i + 1] !== name.charCodeAt(i)) return false;
  return true;
}

/** The whole frame of a command. */
export function encodeCommand(name: string, ...data: Uint8Array[]): Uint8Array {
  const size = data.reduce((sum, part) => sum + part.length, 1 + name.length);
  const long = size > 255;
  let at = long ? LONG_HEADER : SHORT_HEADER;
  const octets = new Uint8Array(at + size);
  octets[0] = long ? FLAG_COMMAND | FLAG_LONG : FLAG_COMMAND;
  if (long) new DataView(octets.buffer).setBigUint64(1, BigInt(size));
  else octets[1] = size;
  octets[at++] = name.length;
  for (let i = 0; i < name.length; i++) octets[at++] = name.charCodeAt(i);
  for (const part of data) {
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}

/**
 * Reads the body of a command frame.
 *
 * @throws {ProtocolError} `ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED` when it has no whole name of letters.
 */
export function decodeCommand(body: Uint8Array): Command {
  for (const name of FREQUENT) {
    if (isNamed(body, name)) return { name, data: body.subarray(1 + name.length) };
  }
  if (isMisspelt(body)) return { name: "ERROR", data: body.subarray(5) };
  const size = body[0] ?? 0;
  const name = text.decode(body.subarray(1, 1 + size));
  if (size === 0 || name.length !== size || !/^[A-Za-z]+$/.test(name)) {
    throw new ProtocolError(
      "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
      "The peer sent a command without a name",
    );
  }
  return { name, data: body.subarray(1 + size) };
}

/** libzmq's PLAIN server makes one octet, 5E, of the length and the first letter of ERROR. */
function isMisspelt(body: Uint8Array): boolean {
  return body[0] === 0x5e && body.length > 5 && body.length === 6 + body[5] &&
    text.decode(body.subarray(1, 5)) === "RROR";
}

/** The frame of an ERROR command; `reason` is cut to the 255 characters it may have. */
export function encodeError(reason: string): Uint8Array {
  const printable = reason.replace(/[^\x20-\x7e]/g, "?").slice(0, 255);
  return encodeCommand(
    "ERROR",
    Uint8Array.of(printable.length),
    new TextEncoder().encode(printable),
  );
}

/**
 * The reason in an ERROR command.
 *
 * @throws {ProtocolError} `ERR_ZMTP_MALFORMED_COMMAND_ERROR`
 */
export function decodeError(data: Uint8Array): string {
  if (data.length === 0 || data.length !== 1 + data[0]) {
    throw new ProtocolError(
      "ERR_ZMTP_MALFORMED_COMMAND_ERROR",
      "The peer sent an ERROR command of the wrong size",
    );
  }
  return text.decode(data.subarray(1));
}
