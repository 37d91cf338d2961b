// The payload of a close frame: a code and a reason (RFC 6455, sections 5.5.1 and 7.4).

import { INVALID_DATA, NO_CODE, PROTOCOL_ERROR } from "../../close_codes.ts";
import { ProtocolError } from "../../errors.ts";
import { WebSocketFault } from "./fault.ts";

/** Why a WebSocket is closed. */
export interface Close {
  /** The code; 1005 for a close frame without one. */
  readonly code: number;
  /** What the peer says about it, for people. */
  readonly reason: string;
}

/** A control frame has 125 octets at most, the code two of them. */
const REASON_LIMIT = 123;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the payload of a close frame.
 *
 * @throws {WebSocketFault} 1002 for half a code or one that must not be sent, 1007 for a reason that is not UTF-8.
 */
export function decodeClose(payload: Uint8Array): Close {
  if (payload.length === 0) return { code: NO_CODE, reason: "" };
  if (payload.length === 1) throw fault(PROTOCOL_ERROR, "a close frame with half a code");
  const code = payload[0] << 8 | payload[1];
  if (!maySend(code)) {
    throw fault(PROTOCOL_ERROR, `a close frame with the code ${code}, which must not be sent`);
  }
  try {
    return { code, reason: strict.decode(payload.subarray(2)) };
  } catch {
    throw fault(INVALID_DATA, `a close frame with the code ${code} and a reason that is not UTF-8`);
  }
}

/** The payload of a close frame; of the reason as many whole characters as fit. `1005` gives an empty one. */
export function encodeClose(code: number, reason: string = ""): Uint8Array {
  if (code === NO_CODE) return new Uint8Array(0);
  const payload = new Uint8Array(2 + REASON_LIMIT);
  payload[0] = code >> 8;
  payload[1] = code;
  const { written } = new TextEncoder().encodeInto(reason, payload.subarray(2));
  return payload.subarray(0, 2 + written);
}

/** Defined by RFC 6455 or registered since (1012 to 1014), or free for libraries and programs. */
function maySend(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
    (code >= 3000 && code <= 4999);
}

function fault(code: number, what: string): WebSocketFault {
  return new WebSocketFault(code, new ProtocolError("ERR_WS_CLOSE", `The peer sent ${what}`));
}
