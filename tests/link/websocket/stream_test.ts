// A WebSocket as a link sees it: ZMTP in, ZMTP out, whatever the handshake agreed on, and one orderly end.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseEndpoint, type WebSocketEndpoint } from "../../../src/endpoint.ts";
import { ProtocolError, ZmqError } from "../../../src/errors.ts";
import { CLOSE_TIME } from "../../../src/link/link.ts";
import { ClientSide, ServerSide } from "../../../src/link/websocket/sides.ts";
import { WebSocketStream } from "../../../src/link/websocket/web_socket_stream.ts";
import type { OptionValues } from "../../../src/options.ts";
import { acceptOf } from "../../../src/wire/websocket/accept_key.ts";
import type { SocketType } from "../../../src/wire/socket_type.ts";
import {
  CLOSE,
  encodeWeb,
  encodeWebMessage,
  FIN,
  PING,
  PONG,
  readWeb,
  type WebReading,
} from "../../core/models/websocket_model.ts";
import { textOf, utf8 } from "../../_util/bytes.ts";
import type { FakeStreamOptions } from "../../_util/fake_stream.ts";
import { LinkStand } from "../../_util/link_stand.ts";
import { concat } from "../../_util/octets.ts";
import { message, ready } from "../../_util/raw_zmtp.ts";

const KEY = "x3JJHMbDL1EzLkh9GBhXDw==";
const MASK = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
const EMPTY = new Uint8Array(0);

interface Wanted {
  readonly type?: SocketType;
  readonly options?: Partial<OptionValues>;
  readonly stream?: FakeStreamOptions;
}

/** A server's side of a WebSocket; the test is the client. */
class Stand extends LinkStand {
  /** What was not read as frames. */
  head = "";

  constructor({ type = "DEALER", options = {}, stream = {} }: Wanted = {}) {
    super({
      type,
      options,
      stream,
      wrap: (inner, host) => new WebSocketStream(inner, new ServerSide("/", host.options), host),
    });
    this.link.start();
  }

  ask(protocol: string, path: string = "/"): this {
    this.stream.deliver(utf8(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n` +
        `Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    ));
    this.stream.flow();
    return this;
  }

  say(flags: number, body: Uint8Array | string): void {
    const octets = typeof body === "string" ? utf8(body) : body;
    this.stream.deliver(encodeWebMessage(flags, octets, MASK));
    this.stream.flow();
  }

  control(opcode: number, payload: Uint8Array): void {
    this.stream.deliver(encodeWeb(FIN | opcode, payload, { key: MASK }));
    this.stream.flow();
  }

  /** What this side said since the last call, without the head of the response. */
  heard(): WebReading {
    let octets = this.stream.takeOutput();
    if (this.head === "") {
      const text = textOf(octets);
      const end = text.indexOf("\r\n\r\n") + 4;
      this.head = text.slice(0, end);
      octets = octets.subarray(end);
    }
    return readWeb(octets, { masked: false, limit: -1, commands: true });
  }

  /** Agrees on NULL, and is ready. */
  shake(): this {
    this.ask("ZWS2.0/NULL, ZWS2.0");
    this.say(2, readyBody("ROUTER"));
    this.heard();
    return this;
  }
}

/** The body of a READY command. */
function readyBody(type: string): Uint8Array {
  return ready(type, "").subarray(2);
}

describe("a WebSocket with a mechanism", () => {
  it("is ZMTP to the link: READY both ways, then messages (ZWS2-MECH-01, GV-WS-06)", () => {
    const stand = new Stand();
    stand.ask("ZWS2.0/NULL, ZWS2.0");
    const first = stand.heard();
    assertStringIncludes(stand.head, "101 ");
    assertStringIncludes(stand.head, `Sec-WebSocket-Accept: ${acceptOf(KEY)}`);
    assertStringIncludes(stand.head, "Sec-WebSocket-Protocol: ZWS2.0/NULL\r\n");
    assertEquals(first.octets, ready("DEALER"));
    stand.say(2, readyBody("ROUTER"));
    assertEquals(stand.calls, ["ready ROUTER"]);
    assertEquals(stand.pipe.protocol, "ZWS2.0");
    stand.say(1, "a");
    stand.say(0, "b");
    assertEquals(stand.receiveAll().map((frames) => frames.map(textOf)), [["a", "b"]]);
    stand.pipe.send(["x", "yz"]);
    assertEquals(stand.heard().octets, message("x", "yz"));
  });

  it("goes on where the request and frames come in one read", () => {
    const stand = new Stand();
    const request = `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n` +
      `Sec-WebSocket-Protocol: ZWS2.0/NULL\r\n\r\n`;
    stand.stream.deliver(concat(
      utf8(request),
      encodeWebMessage(2, readyBody("DEALER"), MASK),
      encodeWebMessage(0, utf8("early"), MASK),
    ));
    assertEquals(stand.receiveAll().map((frames) => frames.map(textOf)), [["early"]]);
  });

  it("takes every octet by itself", () => {
    const stand = new Stand();
    stand.ask("ZWS2.0/NULL");
    const octets = concat(
      encodeWebMessage(2, readyBody("REP"), MASK),
      encodeWebMessage(1, utf8("a"), MASK, [1]),
      encodeWeb(FIN | PING, utf8("?"), { key: MASK }),
      encodeWebMessage(0, new Uint8Array(70_000).fill(3), MASK, [2, 60_000]),
    );
    stand.stream.deliver(octets, 1);
    assertEquals(stand.receiveAll().map((frames) => frames.map((frame) => frame.length)), [[
      1,
      70_000,
    ]]);
    assertEquals(stand.heard().controls.map(({ opcode, payload }) => [opcode, textOf(payload)]), [
      [PONG, "?"],
    ]);
  });

  it("refuses a peer of the wrong type, and says so with a close (ZWS2-TYPE-01)", () => {
    const stand = new Stand();
    stand.ask("ZWS2.0/NULL");
    stand.heard();
    stand.say(2, readyBody("PUB"));
    assert(stand.error instanceof ProtocolError);
    const { octets, controls } = stand.heard();
    assertStringIncludes(textOf(octets), "ERROR");
    assertEquals(controls.map(({ opcode }) => opcode), [CLOSE]);
  });
});

describe("a stranger on a WebSocket", () => {
  it("has no long message kept that comes in fragments, before its handshake is done", () => {
    const stand = new Stand();
    stand.ask("ZWS2.0/NULL");
    stand.heard();
    const fragments = encodeWebMessage(0, new Uint8Array(20_000), MASK, [1_000, 7_000, 1_000]);
    stand.stream.deliver(fragments.subarray(0, 9_300));
    const [close] = stand.heard().controls;
    assertEquals(close.payload[0] << 8 | close.payload[1], 1009);
    stand.stream.end();
    assertEquals((stand.error as ProtocolError).code, "EMSGSIZE");
  });
});

describe("a peer that is turned away on a WebSocket", () => {
  it("counts as long as it has not closed, and is cut off after a while", () => {
    const stand = new Stand();
    stand.ask("ZWS2.0/NULL");
    stand.heard();
    stand.say(2, "no name of a command");
    const [close] = stand.heard().controls;
    assertEquals(close.payload[0] << 8 | close.payload[1], 1002);
    assertEquals([stand.calls, stand.link.lingers], [["ended"], true]);
    stand.host.clock.advance(CLOSE_TIME);
    assertEquals(stand.stream.calls.at(-1), "abort");
    stand.stream.end();
    assertEquals(stand.link.lingers, false);
  });
});

describe("a WebSocket without a mechanism", () => {
  it("says the routing id first, and takes the peer's (ZWS2-NONE-01, GV-WS-05)", () => {
    const stand = new Stand({ options: { routingId: "me" } });
    stand.ask("ZWS2.0");
    assertEquals(stand.heard().octets, message("me"));
    stand.say(0, "you");
    assertEquals(stand.calls, ["ready "]);
    assertEquals(stand.pipe.peer?.routingId, utf8("you"));
    stand.say(0, "hi");
    assertEquals(stand.receiveAll().map((frames) => frames.map(textOf)), [["hi"]]);
    stand.pipe.send("hello");
    assertEquals(stand.heard().octets, message("hello"));
  });

  it("speaks ZWS 1.0 with a peer that says its type (ZWS1-01, ZWS1-02)", () => {
    const stand = new Stand();
    stand.ask("ZWS1.0", "/any?type=ROUTER");
    assertEquals(stand.heard().octets, message(""));
    stand.say(0, "");
    assertEquals(stand.pipe.protocol, "ZWS1.0");
  });

  const bad: Readonly<Record<string, [number, Uint8Array]>> = {
    "a routing id of several frames": [1, utf8("a")],
    "a routing id of 256 octets": [0, new Uint8Array(256)],
    "a command (ZWS2-NONE-02)": [2, readyBody("ROUTER")],
  };
  for (const [what, [flags, body]] of Object.entries(bad)) {
    it(`refuses ${what}`, () => {
      const stand = new Stand();
      stand.ask("ZWS2.0");
      stand.say(flags, body);
      const [close] = stand.heard().controls;
      assertEquals([close.opcode, close.payload[0] << 8 | close.payload[1]], [CLOSE, 1002]);
      stand.stream.end();
      assert(stand.error instanceof ProtocolError);
      assertEquals(stand.calls, ["ended"]);
    });
  }
});

describe("the heartbeat of a WebSocket (ZWS2-HB-01)", () => {
  it("is a ping, and the pong a sign of life", () => {
    const options = { heartbeatInterval: 100, heartbeatTimeout: 50 };
    const stand = new Stand({ options }).shake();
    const { clock } = stand.host;
    for (let i = 0; i < 3; i++) {
      clock.advance(100);
      assertEquals(stand.heard().controls.map(({ opcode, payload }) => [opcode, payload]), [
        [PING, EMPTY],
      ]);
      // The limit is over long before the next ping.
      stand.control(PONG, EMPTY);
      assertEquals(stand.error, undefined);
    }
  });

  it("ends a connection whose peer is silent", () => {
    const options = { heartbeatInterval: 100, heartbeatTimeout: 50 };
    const stand = new Stand({ options }).shake();
    stand.host.clock.advance(150);
    stand.host.clock.settle();
    assertEquals((stand.error as ZmqError).code, "ETIMEDOUT");
  });

  it("answers pings with what they carry, and not more than a peer reads", () => {
    const stand = new Stand({ stream: { room: 10_000 } }).shake();
    stand.control(PING, utf8("a"));
    assertEquals(textOf(stand.heard().controls[0].payload), "a");
    stand.stream.drain(-10_000);
    const flood = new Stand({ stream: { room: 400, late: false } });
    flood.ask("ZWS2.0/NULL");
    for (let i = 0; i < 1_000; i++) flood.control(PING, new Uint8Array(100));
    flood.stream.drain(Infinity);
    flood.stream.flow();
    const answers = flood.heard().controls.length;
    assert(answers > 0 && answers < 100, `${answers}`);
  });
});

describe("the end of a WebSocket (ZWS2-HB-02)", () => {
  it("is a close that the peer gives back, then the stream's", () => {
    const stand = new Stand().shake();
    stand.link.finish();
    const [close] = stand.heard().controls;
    assertEquals([close.opcode, [...close.payload]], [CLOSE, [3, 232]]);
    assertEquals(stand.stream.calls.includes("close"), false);
    stand.say(0, "late");
    stand.control(CLOSE, close.payload);
    assertEquals(stand.stream.calls.at(-1), "close");
    stand.stream.end();
    assertEquals([stand.calls.at(-1), stand.error], ["ended", undefined]);
    assertEquals(stand.receiveAll(), []);
  });

  it("gives back the peer's close, and keeps what was not said for another connection", () => {
    const stand = new Stand().shake();
    stand.control(CLOSE, Uint8Array.of(3, 232));
    const [close] = stand.heard().controls;
    assertEquals([close.opcode, [...close.payload]], [CLOSE, [3, 232]]);
    assertEquals(stand.stream.calls.at(-1), "close");
    stand.pipe.send("kept");
    stand.stream.end();
    assertEquals([stand.error, stand.pipe.outbox.waiting], [undefined, 1]);
  });

  it("tells with which code the peer closed", () => {
    const stand = new Stand().shake();
    stand.control(CLOSE, concat(Uint8Array.of(1009 >> 8, 1009 & 255), utf8("too much")));
    stand.stream.end();
    const { code, message } = stand.error as ZmqError;
    assertEquals(code, "ECONNRESET");
    assertStringIncludes(message, '1009, "too much"');
  });

  it("does not wait for ever for a peer that does not answer", () => {
    const stand = new Stand().shake();
    stand.control(3, EMPTY);
    const [close] = stand.heard().controls;
    assertEquals([close.opcode, close.payload[0] << 8 | close.payload[1]], [CLOSE, 1002]);
    assertEquals(stand.stream.calls.includes("abort"), false);
    stand.host.clock.advance(CLOSE_TIME);
    assertEquals(stand.stream.calls.at(-1), "abort");
  });

  it("says 1009 to a message that is too long for the socket", () => {
    const stand = new Stand({ options: { maxMessageSize: 100 } }).shake();
    stand.say(0, new Uint8Array(101));
    const [close] = stand.heard().controls;
    assertEquals(close.payload[0] << 8 | close.payload[1], 1009);
    assertEquals((stand.error as ProtocolError).code, "EMSGSIZE");
  });
});

describe("the client of a WebSocket", () => {
  const endpoint = parseEndpoint("ws://example.org:81/a?b=c", "connect") as WebSocketEndpoint;

  function connect(): LinkStand {
    const stand = new LinkStand({
      wrap: (inner, host) => new WebSocketStream(inner, new ClientSide(endpoint), host),
    });
    stand.link.start();
    return stand;
  }

  it("asks for the path at the host (ZWS2-HS-02, ZWS2-HS-03), and masks what it says", () => {
    const stand = connect();
    const request = textOf(stand.stream.takeOutput());
    assertStringIncludes(request, "GET /a?b=c HTTP/1.1\r\n");
    assertStringIncludes(request, "Host: example.org:81\r\n");
    assertStringIncludes(request, "Sec-WebSocket-Protocol: ZWS2.0/NULL, ZWS2.0\r\n");
    const [, key] = /Sec-WebSocket-Key: (.*)\r\n/.exec(request)!;
    stand.stream.deliver(utf8(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${acceptOf(key)}\r\nSec-WebSocket-Protocol: ZWS2.0/NULL\r\n\r\n`,
    ));
    stand.stream.deliver(encodeWebMessage(2, readyBody("ROUTER")));
    stand.pipe.send("hi");
    const rules = { masked: true, limit: -1, commands: true };
    const said = readWeb(stand.stream.takeOutput(), rules);
    assertEquals([said.octets, said.fault], [
      concat(ready("DEALER"), message("hi")),
      undefined,
    ]);
  });

  it("gives up with the status of a refusal, to try again later", () => {
    const stand = connect();
    stand.stream.deliver(utf8("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"));
    stand.stream.end();
    assert(stand.error instanceof ZmqError && !(stand.error instanceof ProtocolError));
    assertStringIncludes(stand.error.message, "503");
  });
});
