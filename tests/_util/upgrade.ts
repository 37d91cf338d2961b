// HTTP heads of WebSocket handshakes in tests, right ones and wrong ones.

import { assert } from "@std/assert";
import { HttpRefusal } from "../../src/wire/websocket/fault.ts";
import { utf8 } from "./bytes.ts";

/** The key of GV-WS-01, in all requests here. */
export const KEY = "x3JJHMbDL1EzLkh9GBhXDw==";
/** What a server answers to it. */
export const ACCEPT_OF_KEY = "HSmrc0sMlYUkAGmm5OPpG2HaGWk=";

/** Lines of headers that take the place of others: undefined leaves one out, a list repeats it. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

const REQUEST: Fields = {
  "Host": "127.0.0.1:5555",
  "Upgrade": "websocket",
  "Connection": "Upgrade",
  "Sec-WebSocket-Key": KEY,
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Protocol": "ZWS2.0/NULL,ZWS2.0",
};

const RESPONSE: Fields = {
  "Upgrade": "websocket",
  "Connection": "Upgrade",
  "Sec-WebSocket-Accept": ACCEPT_OF_KEY,
  "Sec-WebSocket-Protocol": "ZWS2.0/NULL",
};

/** A head of this first line and these headers. */
export function headOf(start: string, fields: Fields): Uint8Array {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}`)
  );
  return utf8([start, ...lines, "\r\n"].join("\r\n"));
}

/** A good request but for these headers. */
export function requestOf(fields: Fields = {}, start: string = "GET / HTTP/1.1"): Uint8Array {
  return headOf(start, { ...REQUEST, ...fields });
}

/** A good answer to it but for these headers. */
export function responseOf(
  fields: Fields = {},
  start: string = "HTTP/1.1 101 Switching Protocols",
): Uint8Array {
  return headOf(start, { ...RESPONSE, ...fields });
}

/** What a call throws, which is no `Error`. */
export function refusalOf(call: () => unknown): HttpRefusal {
  try {
    call();
  } catch (error) {
    assert(error instanceof HttpRefusal, String(error));
    return error;
  }
  throw new Error("It was not refused");
}
