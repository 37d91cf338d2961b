// What a server answers to a request for a WebSocket (RFC 6455, sections 4.1 and 4.2.2).

import { ProtocolError, ZmqError } from "../../errors.ts";
import { quoted } from "../../quoted.ts";
import { acceptOf } from "./accept_key.ts";
import { HttpRefusal } from "./fault.ts";
import { decodeHead, type FieldValues, hasWord, listed } from "./fields.ts";

const PHRASES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

const STATUS_LINE = /^HTTP\/1\.1 (\d{3})(?: (.*))?$/;

/** The octets of the response that opens the WebSocket. */
export function encodeAccept(key: string, protocol: string): Uint8Array {
  return lines(
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
    "\r\n",
  );
}

/** The octets of the response that refuses it, after which the connection ends. */
export function encodeRefusal({ status, text, headers }: HttpRefusal): Uint8Array {
  const body = `${text}\n`;
  const upgrade = headers.some(([name]) => name === "Upgrade") ? "close, Upgrade" : "close";
  return lines(
    `HTTP/1.1 ${status} ${PHRASES[status] ?? "Refused"}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `Connection: ${upgrade}`,
    "Content-Type: text/plain; charset=utf-8",
    "X-Content-Type-Options: nosniff",
    `Content-Length: ${new TextEncoder().encode(body).length}`,
    `\r\n${body}`,
  );
}

/**
 * The subprotocol that the server chose, when its answer is as it must be.
 *
 * @throws {ZmqError} `ECONNREFUSED` for a status that is not 101.
 * @throws {ProtocolError} `ERR_WS_UPGRADE`, `ERR_WS_SUBPROTOCOL`
 */
export function checkResponse(head: Uint8Array, key: string, offered: readonly string[]): string {
  const { start, valuesOf } = decodeAnswer(head);
  const [, status, reason = ""] = STATUS_LINE.exec(start) ?? [];
  if (status === undefined) throw wrong(`it begins with ${quoted(start, 80)}`);
  if (status !== "101") throw notOpened(status, reason, valuesOf, offered);
  if (!hasWord(valuesOf, "upgrade", "websocket")) throw wrong("it does not upgrade to websocket");
  if (!hasWord(valuesOf, "connection", "upgrade")) {
    throw wrong(`its header connection has no "upgrade"`);
  }
  const accept = valuesOf("sec-websocket-accept");
  if (accept.length !== 1 || accept[0] !== acceptOf(key)) {
    throw wrong("its header sec-websocket-accept does not belong to the key that was sent");
  }
  const [extension] = listed(valuesOf, "sec-websocket-extensions");
  if (extension !== undefined) {
    throw wrong(`it uses the extension ${quoted(extension, 40)}, which nobody offered`);
  }
  return chosen(valuesOf, offered);
}

function decodeAnswer(head: Uint8Array): ReturnType<typeof decodeHead> {
  try {
    return decodeHead(head);
  } catch (error) {
    throw error instanceof HttpRefusal ? error.error : error;
  }
}

function chosen(valuesOf: FieldValues, offered: readonly string[]): string {
  const protocols = valuesOf("sec-websocket-protocol");
  if (protocols.length === 1 && offered.includes(protocols[0])) return protocols[0];
  const what = protocols.length === 0 ? "none" : quoted(protocols.join(", "), 80);
  throw new ProtocolError(
    "ERR_WS_SUBPROTOCOL",
    `The server chose ${what} of the subprotocols ${offered.join(", ")}; is it a ZeroMQ server?`,
  );
}

function notOpened(
  status: string,
  reason: string,
  valuesOf: FieldValues,
  offered: readonly string[],
): ZmqError {
  const [location] = valuesOf("location");
  const hint = location !== undefined
    ? `it points to ${quoted(location, 200)}, which is not followed`
    : status === "400"
    ? `it may know none of the subprotocols ${offered.join(", ")}`
    : "check the endpoint's host, port and path";
  return new ZmqError(
    "ECONNREFUSED",
    `The server opened no WebSocket, but answered ${status} ${quoted(reason, 80)}; ${hint}`,
  );
}

function wrong(what: string): ProtocolError {
  return new ProtocolError(
    "ERR_WS_UPGRADE",
    `The server's answer to the WebSocket handshake is wrong: ${what}`,
  );
}

function lines(...all: string[]): Uint8Array {
  return new TextEncoder().encode(all.join("\r\n"));
}
