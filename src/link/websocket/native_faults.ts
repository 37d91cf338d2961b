// What goes wrong on a WebSocket that the runtime frames, and how its peer is told.

import {
  GOING_AWAY,
  LOST,
  NO_CODE,
  NORMAL,
  NOT_BINARY,
  PROTOCOL_ERROR,
  REFUSED,
  TOO_LONG,
} from "../../close_codes.ts";
import type { WebSocketEndpoint } from "../../endpoint.ts";
import { codeOf, ProtocolError, textOf, ZmqError } from "../../errors.ts";
import { quoted } from "../../quoted.ts";
import { WebSocketFault } from "../../wire/websocket/fault.ts";
import { mechanismIn } from "../../wire/websocket/subprotocol.ts";
import type { Introduction, WebSocketEventLike } from "../stream.ts";

/** The longest reason, in octets and so in characters of ASCII. */
const REASON_LIMIT = 123;

/** Says to the peer why there is an end. */
export interface Farewell {
  /** A close code. */
  readonly code: number;
  /** For people. */
  readonly reason: string;
}

/** The end that nothing is wrong with. */
export const PEACE: Farewell = { code: NORMAL, reason: "" };

/** What the peer is told about an error: what it did wrong, but nothing that is only this side's affair. */
export function farewellFor(error: unknown): Farewell {
  if (error === undefined) return PEACE;
  const fault = error instanceof WebSocketFault ? error.error : error;
  if (!(fault instanceof ProtocolError)) return { code: REFUSED, reason: "" };
  const reason = textOf(fault).replace(/[^ -~]/g, "?").slice(0, REASON_LIMIT);
  if (error instanceof WebSocketFault) return { code: error.closeCode, reason };
  return { code: codeOf(fault) === "EMSGSIZE" ? TOO_LONG : PROTOCOL_ERROR, reason };
}

/** The error of an end that the peer wanted, or nobody; undefined for one in peace. */
export function endOf({ code = LOST, reason = "" }: WebSocketEventLike): ZmqError | undefined {
  if (code === NORMAL || code === GOING_AWAY || code === NO_CODE) return undefined;
  const why = reason === "" ? "" : ` ${quoted(reason, REASON_LIMIT)}`;
  return new ZmqError(
    "ECONNRESET",
    code === LOST
      ? `The WebSocket was lost${why}`
      : `The peer closed the WebSocket with the code ${code}${why}`,
  );
}

/** Why a WebSocket is not there; a page is not told why. */
export function notOpened(
  { text }: WebSocketEndpoint,
  offers: readonly string[],
  { code = LOST, reason = "" }: WebSocketEventLike,
): ZmqError {
  const why = reason === "" ? "" : `, ${quoted(reason, REASON_LIMIT)}`;
  return new ZmqError(
    "ECONNREFUSED",
    `The WebSocket did not open (close code ${code}${why}); pages are not told why: nobody may ` +
      `listen there, or the server does not admit this page's origin, or knows none of the ` +
      `subprotocols ${offers.join(", ")}`,
    { address: text },
  );
}

/**
 * Refuses a subprotocol that does not belong to the mechanism of this side.
 *
 * @throws {WebSocketFault}
 */
export function checkSpoken(protocol: string, { mechanism }: Introduction): void {
  const plain = protocol === "ZWS2.0" || protocol === "ZWS1.0";
  if ((plain ? "NULL" : mechanismIn(protocol)) === mechanism) return;
  const what = protocol === "" ? "no subprotocol" : `the subprotocol ${quoted(protocol, 40)}`;
  throw fault(
    REFUSED,
    "ERR_WS_SUBPROTOCOL",
    `The WebSocket has ${what}, where this socket needs one of ZeroMQ for ${mechanism}`,
  );
}

/**
 * The octets of a message.
 *
 * @throws {WebSocketFault} 1003 when it is text, 1002 when it is empty.
 */
export function octetsOf(data: unknown): Uint8Array {
  const octets = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  if (!(octets instanceof Uint8Array)) {
    const what = typeof data === "string" ? "a text message" : "a message that is not binary";
    throw fault(NOT_BINARY, "ERR_WS_FRAME", `The peer sent ${what}, where ZeroMQ has binary ones`);
  }
  if (octets.length > 0) return octets;
  throw fault(PROTOCOL_ERROR, "ERR_WS_FRAME", "The peer sent a message without a flag octet");
}

/** A flag octet that means nothing here. */
export function badFlag(flag: number, most: number): WebSocketFault {
  return fault(
    PROTOCOL_ERROR,
    "ERR_WS_FRAME",
    `The peer sent a message with the flag octet ${flag}, where 0 to ${most} are known`,
  );
}

/** The peer has sent more than it was asked for, and cannot be told to wait. */
export function unread(size: number): ZmqError {
  return new ZmqError(
    "ENOBUFS",
    `The peer has sent ${size} octets that this socket did not receive yet, and this kind of WebSocket cannot be told to ` +
      `wait: receive faster, or raise receiveHighWaterMark`,
  );
}

function fault(closeCode: number, code: string, text: string): WebSocketFault {
  return new WebSocketFault(closeCode, new ProtocolError(code, text));
}
