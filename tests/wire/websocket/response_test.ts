import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ProtocolError, ZmqError } from "../../../src/errors.ts";
import { HttpRefusal } from "../../../src/wire/websocket/fault.ts";
import {
  checkResponse,
  encodeAccept,
  encodeRefusal,
} from "../../../src/wire/websocket/response.ts";
import { textOf, utf8 } from "../../_util/bytes.ts";
import { ACCEPT_OF_KEY, type Fields, KEY, responseOf } from "../../_util/upgrade.ts";

const OFFERED = ["ZWS2.0/NULL", "ZWS2.0"];

function check(fields: Fields, start?: string): string {
  return checkResponse(responseOf(fields, start), KEY, OFFERED);
}

function errorOf(fields: Fields, start?: string): ZmqError {
  return assertThrows(() => check(fields, start), ZmqError);
}

describe("encodeAccept()", () => {
  it("writes the answer of RFC 45, with the subprotocol that was chosen (ZWS2-HS-04)", () => {
    assertEquals(
      textOf(encodeAccept(KEY, "ZWS2.0")),
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${ACCEPT_OF_KEY}\r\nSec-WebSocket-Protocol: ZWS2.0\r\n\r\n`,
    );
  });

  it("writes what checkResponse() takes", () => {
    for (const protocol of OFFERED) {
      assertEquals(checkResponse(encodeAccept(KEY, protocol), KEY, OFFERED), protocol);
    }
  });
});

describe("encodeRefusal()", () => {
  it("says the status, the reason and that the connection ends", () => {
    const text = textOf(encodeRefusal(new HttpRefusal(403, "the page \u00e9 may not connect")));
    assert(text.startsWith("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n"), text);
    assertStringIncludes(text, "\r\nContent-Length: 28\r\n");
    assert(text.endsWith("\r\n\r\nthe page \u00e9 may not connect\n"), text);
  });

  it("adds the headers that belong to the status", () => {
    const text = textOf(encodeRefusal(
      new HttpRefusal(426, "x", [["Sec-WebSocket-Version", "13"], ["Upgrade", "websocket"]]),
    ));
    assertStringIncludes(
      text,
      "\r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\nConnection: close, Upgrade\r\n",
    );
  });

  it("has a phrase for each status there is", () => {
    for (const status of [400, 403, 404, 405, 408, 426, 431, 503, 505]) {
      const [line] = textOf(encodeRefusal(new HttpRefusal(status, "x"))).split("\r\n");
      assert(!line.endsWith("Refused"), line);
    }
  });
});

describe("checkResponse()", () => {
  it("gives the subprotocol of a right answer, whatever the case of its words", () => {
    assertEquals(check({}), "ZWS2.0/NULL");
    assertEquals(check({ "Sec-WebSocket-Protocol": "ZWS2.0" }), "ZWS2.0");
    assertEquals(
      check({ "Upgrade": "WebSocket", "Connection": "keep-alive, upgrade", "Server": "x" }),
      "ZWS2.0/NULL",
    );
    assertEquals(check({}, "HTTP/1.1 101"), "ZWS2.0/NULL");
  });

  it("verifies the hash of its key (ZWS2-HS-07)", () => {
    for (
      const accept of [
        undefined,
        "",
        KEY,
        ACCEPT_OF_KEY.toLowerCase(),
        [ACCEPT_OF_KEY, ACCEPT_OF_KEY],
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
      ]
    ) {
      const error = errorOf({ "Sec-WebSocket-Accept": accept });
      assert(error instanceof ProtocolError);
      assertEquals(error.code, "ERR_WS_UPGRADE");
    }
  });

  it("refuses an answer that upgrades to nothing, or is no HTTP/1.1", () => {
    for (
      const fields of [
        { "Upgrade": undefined },
        { "Upgrade": "h2c" },
        { "Connection": undefined },
        { "Connection": "close" },
        { "Bad name": "x" },
      ]
    ) assertEquals(errorOf(fields).code, "ERR_WS_UPGRADE");
    for (const start of ["HTTP/1.0 101 x", "HTTP/2 101", "101", "", "HTTP/1.1 1011", "SSH-2.0-x"]) {
      assertEquals(errorOf({}, start).code, "ERR_WS_UPGRADE");
    }
  });

  it("refuses extensions, none of which were offered (ZWS2-FRAME-05)", () => {
    const error = errorOf({ "Sec-WebSocket-Extensions": "permessage-deflate" });
    assertEquals(error.code, "ERR_WS_UPGRADE");
    assertStringIncludes(error.message, `"permessage-deflate"`);
    assertEquals(check({ "Sec-WebSocket-Extensions": "" }), "ZWS2.0/NULL");
  });

  it("refuses a subprotocol that was not offered, several, or none", () => {
    for (
      const protocol of [undefined, "", "ZWS1.0", "zws2.0", "ZWS2.0/NULL, ZWS2.0", [
        "ZWS2.0",
        "ZWS2.0",
      ]]
    ) {
      const error = errorOf({ "Sec-WebSocket-Protocol": protocol });
      assert(error instanceof ProtocolError);
      assertEquals(error.code, "ERR_WS_SUBPROTOCOL");
      assertStringIncludes(error.message, "ZWS2.0/NULL, ZWS2.0");
    }
  });

  it("tells any other status with what the server says, in quotes", () => {
    for (
      const [start, fields, part] of [
        ["HTTP/1.1 404 Not Found", {}, `404 "Not Found"; check the endpoint`],
        ["HTTP/1.1 400 Bad Request", {}, "none of the subprotocols ZWS2.0/NULL, ZWS2.0"],
        ["HTTP/1.1 200 OK", {}, `200 "OK"`],
        ["HTTP/1.1 302 Found", { "Location": "https://a/" }, `it points to "https://a/"`],
        ["HTTP/1.1 500 \x1b[31m", {}, `500 "\\u001b[31m"`],
        ["HTTP/1.1 503", {}, `503 ""`],
      ] as const
    ) {
      const error = errorOf(fields, start);
      assertEquals(error.code, "ECONNREFUSED");
      assertStringIncludes(error.message, part);
    }
  });

  it("reads no more of an answer than its head", () => {
    assertThrows(() => checkResponse(utf8("\r\n\r\n"), KEY, OFFERED), ProtocolError);
  });
});
