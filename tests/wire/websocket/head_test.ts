import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { HEAD_LIMIT, HeadReader } from "../../../src/wire/websocket/head.ts";
import { textOf, utf8 } from "../../_util/bytes.ts";
import { refusalOf, requestOf } from "../../_util/upgrade.ts";

function read(text: string): ReturnType<HeadReader["receive"]> {
  return new HeadReader().receive(utf8(text));
}

function longHead(size: number): Uint8Array {
  const start = "GET / HTTP/1.1\r\nX: ";
  return utf8(`${start}${"x".repeat(size - start.length - 4)}\r\n\r\n`);
}

describe("HeadReader", () => {
  it("gives a head that comes whole, and says where the frames begin", () => {
    const head = requestOf();
    const octets = new Uint8Array(head.length + 3);
    octets.set(head);
    const part = new HeadReader().receive(octets);
    assertEquals(part.taken, head.length);
    assertEquals(part.head, head);
  });

  it("gives a head that comes octet by octet, or in any two pieces", () => {
    const head = requestOf();
    const reader = new HeadReader();
    for (let i = 0; i < head.length - 1; i++) {
      assertEquals(reader.receive(head.subarray(i, i + 1)), { head: undefined, taken: 1 });
    }
    assertEquals(reader.receive(head.subarray(-1)), { head, taken: 1 });
    for (let cut = 0; cut < head.length; cut++) {
      const halves = new HeadReader();
      assertEquals(halves.receive(head.subarray(0, cut)).taken, cut);
      assertEquals(halves.receive(head.subarray(cut)), { head, taken: head.length - cut });
    }
  });

  it("keeps no view of the octets it was given", () => {
    const octets = requestOf();
    const reader = new HeadReader();
    const first = octets.slice(0, 20);
    reader.receive(first);
    first.fill(0);
    const rest = octets.slice(20);
    const { head } = reader.receive(rest);
    rest.fill(0);
    assertEquals(head, octets);
  });

  it("takes a head of 8 KiB, and refuses a longer one with 431 without waiting for its end", () => {
    const head = longHead(HEAD_LIMIT);
    assertEquals(new HeadReader().receive(head), { head, taken: HEAD_LIMIT });
    assertEquals(refusalOf(() => new HeadReader().receive(longHead(HEAD_LIMIT + 1))).status, 431);
    const reader = new HeadReader();
    const piece = utf8("x".repeat(1000));
    for (let i = 0; i < 8; i++) assertEquals(reader.receive(piece).head, undefined);
    const { status, error } = refusalOf(() => reader.receive(piece));
    assertEquals([status, error.code], [431, "ERR_WS_UPGRADE"]);
    assertStringIncludes(error.message, "8192");
  });

  it("refuses ends of lines that others would see elsewhere: bare LF, bare CR, an empty first line", () => {
    for (
      const text of [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\n",
        "GET / HTTP/1.1\rHost: a",
        "GET / HTTP/1.1\r\rHost: a",
        "GET / HTTP/1.1\r\n\rHost: a",
        "GET / HTTP/1.1\r\n\nHost: a",
        "\r\nGET / HTTP/1.1\r\n\r\n",
        "\nGET",
      ]
    ) assertEquals(refusalOf(() => read(text)).status, 400, JSON.stringify(text));
  });

  it("refuses control characters, but for a tab", () => {
    for (const code of [...Array(32).keys(), 127]) {
      if ([9, 10, 13].includes(code)) continue;
      const char = String.fromCharCode(code);
      const { status, text } = refusalOf(() => read(`GET / HTTP/1.1\r\nHost: a${char}b`));
      assertEquals(status, 400);
      assertStringIncludes(text, `0x${code.toString(16).padStart(2, "0")} at 23`);
    }
    assertEquals(textOf(read("G\tX\r\n\r\n").head ?? utf8("")), "G\tX\r\n\r\n");
  });

  it("knows TLS and ZMTP by their first octet, and says so at once", () => {
    for (
      const [octet, hint] of [[0x16, "TLS"], [0x15, "TLS"], [0xff, "tcp://"], [0x80, "no HTTP"], [
        0x20,
        "no HTTP",
      ]] as const
    ) {
      const { status, text } = refusalOf(() => new HeadReader().receive(Uint8Array.of(octet)));
      assertEquals(status, 400);
      assertStringIncludes(text, hint);
    }
  });
});
