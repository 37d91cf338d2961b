import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { EndpointError } from "../../../src/errors.ts";
import { decodeRequest, encodeRequest, readUpgrade } from "../../../src/wire/websocket/request.ts";
import { textOf, utf8 } from "../../_util/bytes.ts";
import { type Fields, KEY, refusalOf, requestOf } from "../../_util/upgrade.ts";

const GOOD = {
  path: "/",
  host: "127.0.0.1:5555",
  origin: undefined,
  key: KEY,
  protocols: ["ZWS2.0/NULL", "ZWS2.0"],
};

function statusOf(fields: Fields, start?: string): number {
  return refusalOf(() => decodeRequest(requestOf(fields, start))).status;
}

describe("decodeRequest()", () => {
  it("reads the request of libzmq's client", () => {
    const head = "GET /a HTTP/1.1\r\nHost: 127.0.0.1:5555\r\nUpgrade: websocket\r\n" +
      `Connection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\n` +
      "Sec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0\r\nSec-WebSocket-Version: 13\r\n\r\n";
    assertEquals(decodeRequest(utf8(head)), { ...GOOD, path: "/a" });
  });

  it("reads what browsers send: many headers, several tokens, any case (ZWS2-HS-08)", () => {
    const request = decodeRequest(requestOf({
      "Connection": "keep-alive, Upgrade",
      "Upgrade": "WebSocket",
      "Origin": "https://example.org",
      "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)",
      "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
      "Cookie": "name=v\u00e4lue",
      "Content-Length": "0",
    }));
    assertEquals(request, { ...GOOD, origin: "https://example.org" });
  });

  it("takes a list in several lines, with spaces and empty elements (ZWS2-HS-08)", () => {
    const request = decodeRequest(requestOf({
      "Connection": ["keep-alive", ",\tUPGRADE ,"],
      "Sec-WebSocket-Protocol": ["ZWS2.0/CURVE , ZWS2.0/NULL", "", "ZWS2.0"],
    }));
    assertEquals(request.protocols, ["ZWS2.0/CURVE", "ZWS2.0/NULL", "ZWS2.0"]);
  });

  it("gives the path with its query, also out of a whole URL (ZWS1-03)", () => {
    for (
      const [target, path] of [
        ["/", "/"],
        ["/chat?type=DEALER", "/chat?type=DEALER"],
        ["/%C3%A4/../x?a=%0d#", undefined],
        ["http://example.org/a?b", "/a?b"],
        ["HTTP://example.org", "/"],
      ] as const
    ) {
      const head = requestOf({}, `GET ${target} HTTP/1.1`);
      if (path === undefined) assertEquals(refusalOf(() => decodeRequest(head)).status, 400);
      else assertEquals(decodeRequest(head).path, path);
    }
  });

  it("refuses other methods with 405 and names the one that is allowed", () => {
    for (const method of ["POST", "HEAD", "get", "CONNECT", "OPTIONS"]) {
      const refusal = refusalOf(() => decodeRequest(requestOf({}, `${method} / HTTP/1.1`)));
      assertEquals([refusal.status, refusal.headers], [405, [["Allow", "GET"]]]);
    }
  });

  it("refuses other versions of HTTP with 505", () => {
    for (const version of ["1.0", "2.0", "0.9", "1.2"]) {
      assertEquals(statusOf({}, `GET / HTTP/${version}`), 505);
    }
  });

  it("refuses lines that are no request line with 400", () => {
    for (
      const start of [
        "",
        "GET",
        "GET /",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / http/1.1",
        "GET / HTTP/11",
        "GET /a b HTTP/1.1",
        "GET * HTTP/1.1",
        "GET a HTTP/1.1",
        "GET /\u00e4 HTTP/1.1",
        "GET ftp://a/ HTTP/1.1",
        "G(T / HTTP/1.1",
        "HTTP/1.1 101 Switching Protocols",
      ]
    ) assertEquals(statusOf({}, start), 400, start);
  });

  it("refuses lines that are no headers with 400", () => {
    for (
      const line of [
        "no colon",
        "Space : before the colon",
        ": no name",
        " folded: line",
        "\tfolded",
        "N\u00e4me: x",
        "a(b): c",
      ]
    ) {
      const head = textOf(requestOf()).replace("\r\n\r\n", `\r\n${line}\r\n\r\n`);
      const { status, text } = refusalOf(() => decodeRequest(utf8(head)));
      assertEquals(status, 400);
      assertStringIncludes(text, "is no header");
    }
  });

  it("refuses a missing, repeated or wrong header with 400", () => {
    const bad: Fields[] = [
      { "Host": undefined },
      { "Host": ["a", "a"] },
      { "Host": "" },
      { "Host": "a b" },
      { "Host": "a, b" },
      { "Host": "user@a" },
      { "Host": "a/b" },
      { "Host": "a:b" },
      { "Connection": undefined },
      { "Connection": "keep-alive" },
      { "Connection": "Upgraded" },
      { "Sec-WebSocket-Key": undefined },
      { "Sec-WebSocket-Key": [KEY, KEY] },
      { "Sec-WebSocket-Key": "" },
      { "Sec-WebSocket-Key": "c2hvcnQ=" },
      { "Sec-WebSocket-Key": KEY.replace("==", "=") },
      { "Sec-WebSocket-Version": ["13", "13"] },
      { "Origin": ["http://a", "http://b"] },
      { "Content-Length": "1" },
      { "Content-Length": ["0", "0"] },
      { "Content-Length": "-0" },
      { "Transfer-Encoding": "chunked" },
      { "Transfer-Encoding": "identity" },
      { "Sec-WebSocket-Protocol": "ZWS2.0, ZWS2.0" },
      { "Sec-WebSocket-Protocol": ["ZWS2.0", "ZWS2.0"] },
      { "Sec-WebSocket-Protocol": "ZWS 2.0" },
      { "Sec-WebSocket-Protocol": 'ZWS"2.0' },
    ];
    for (const fields of bad) assertEquals(statusOf(fields), 400, JSON.stringify(fields));
  });

  it("refuses what is no upgrade, and versions other than 13, with 426 and says what there is", () => {
    for (
      const [fields, header] of [
        [{ "Upgrade": undefined }, ["Upgrade", "websocket"]],
        [{ "Upgrade": "h2c" }, ["Upgrade", "websocket"]],
        [{ "Sec-WebSocket-Version": undefined }, ["Sec-WebSocket-Version", "13"]],
        [{ "Sec-WebSocket-Version": "8" }, ["Sec-WebSocket-Version", "13"]],
        [{ "Sec-WebSocket-Version": "13, 8" }, ["Sec-WebSocket-Version", "13"]],
      ] as const
    ) {
      const { status, headers } = refusalOf(() => decodeRequest(requestOf(fields)));
      assertEquals([status, headers[0]], [426, header]);
    }
  });

  it("takes nothing for a space but spaces and tabs", () => {
    const octets = requestOf({ "Upgrade": "websocket~", "Host": "a~" });
    const at = [...octets.keys()].filter((i) => octets[i] === "~".charCodeAt(0));
    assertEquals(at.length, 2);
    // A space that does not break, in Latin-1.
    octets[at[1]] = 0xa0;
    assertEquals(refusalOf(() => decodeRequest(octets)).status, 426);
    octets[at[1]] = 0x20;
    octets[at[0]] = 0xa0;
    assertEquals(refusalOf(() => decodeRequest(octets)).status, 400);
    octets[at[0]] = 0x09;
    assertEquals(decodeRequest(octets).host, "a");
  });

  it("does not need subprotocols, which others judge", () => {
    assertEquals(decodeRequest(requestOf({ "Sec-WebSocket-Protocol": undefined })).protocols, []);
  });

  it("quotes what it does not know, and no more than a line of it", () => {
    const { text } = refusalOf(() =>
      decodeRequest(requestOf({ "Sec-WebSocket-Version": "\x7f".repeat(500) }))
    );
    assertStringIncludes(text, "\\u007f\\u007f");
    assertEquals(text.length < 250, true);
  });
});

describe("readUpgrade()", () => {
  it("reads the headers that a runtime's HTTP server has taken apart", () => {
    const headers = new Headers({
      "host": "127.0.0.1:5555",
      "upgrade": "websocket",
      "connection": "Upgrade",
      "sec-websocket-key": KEY,
      "sec-websocket-version": "13",
      "sec-websocket-protocol": "ZWS2.0/NULL, ZWS2.0",
    });
    const valuesOf = (name: string): string[] => {
      const value = headers.get(name);
      return value === null ? [] : [value];
    };
    assertEquals(readUpgrade("/", valuesOf), GOOD);
    headers.append("sec-websocket-key", KEY);
    assertEquals(refusalOf(() => readUpgrade("/", valuesOf)).status, 400);
  });
});

describe("encodeRequest()", () => {
  it("writes what decodeRequest() reads (ZWS2-HS-02, ZWS2-HS-03)", () => {
    for (const path of ["/", "/a/b?type=DEALER&x=%20"]) {
      for (const host of ["example.org", "127.0.0.1:5555", "[::1]:80"]) {
        const request = { ...GOOD, path, host };
        assertEquals(decodeRequest(encodeRequest(request)), request);
      }
    }
  });

  it("writes a host as HTTP has it", () => {
    for (
      const [host, written] of [
        ["[fe80::1%eth0]:5555", "[fe80::1]:5555"],
        ["ex\u00e4mple.org:5555", "xn--exmple-cua.org:5555"],
        ["EXAMPLE.org:5555", "EXAMPLE.org:5555"],
        ["127.1:5555", "127.1:5555"],
      ]
    ) {
      const octets = encodeRequest({ path: "/", host, key: KEY, protocols: ["ZWS2.0"] });
      assertEquals(decodeRequest(octets).host, written);
    }
  });

  it("refuses a path or a host that would add lines", () => {
    for (
      const [path, host] of [
        ["/ HTTP/1.1\r\nX: y", "a"],
        ["/a b", "a"],
        ["/\u00e4", "a"],
        ["", "a"],
        ["a", "a"],
        ["http://a/", "a"],
        ["/#a", "a"],
        ["/", "a\r\nX: y"],
        ["/", ""],
        ["/", "a/b"],
        ["/", "\u00e4/b"],
        ["/", "user@a"],
      ]
    ) {
      const error = assertThrows(
        () => encodeRequest({ path, host, key: KEY, protocols: ["ZWS2.0"] }),
        EndpointError,
      );
      assertEquals(error.code, "EINVAL");
    }
  });
});
