// Servers that a connecting WebSocket must not believe: the event says why. Those that break the protocol are given up, as
// over tcp; those that only refuse are asked again.

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Dealer, EndpointError, type EventType } from "../../mod.ts";
import { textsOf, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { acceptOf, RawWebSocket, takeHead } from "../_util/raw_web_socket.ts";
import { type Fields, headOf } from "../_util/upgrade.ts";

const WAIT_MS = 15_000;
const SWITCHING = "HTTP/1.1 101 Switching Protocols";

const cleanup = new Cleanup();

interface Setup {
  readonly dealer: Dealer;
  readonly server: RawServer;
  readonly log: EventLog;
}

async function connected(path = "", options = {}): Promise<Setup> {
  const server = cleanup.add(await RawServer.listen());
  const dealer = cleanup.add(
    new Dealer({ context: new Context(), reconnectInterval: 10, ...options }),
  );
  const log = new EventLog(dealer);
  await dealer.connect(server.endpoint.replace("tcp", "ws") + path);
  return { dealer, server, log };
}

const FAILED: readonly EventType[] = [
  "handshake:error:protocol",
  "handshake:error:other",
  "disconnect",
];
const looked = new WeakMap<EventLog, number>();

/** The next handshake that failed: the type of the event, and its error's code and text. */
async function told(log: EventLog): Promise<[type: EventType, code: string, text: string]> {
  for (let at = looked.get(log) ?? 0;; at++) {
    await eventually(() => log.all.length > at, WAIT_MS, "an event with an error");
    const event = log.all[at];
    const { error } = event as { error?: Error };
    if (!FAILED.includes(event.type) || error === undefined) continue;
    // The end of the same connection says it once more.
    looked.set(log, at + (event.type === "disconnect" ? 1 : 2));
    return [event.type, codeOf(event) ?? "", error.message];
  }
}

/** What a right answer has, but for these. */
async function answerTo(request: readonly string[], fields: Fields): Promise<Uint8Array> {
  const key = request.find((line) => line.startsWith("Sec-WebSocket-Key: "))!.slice(19);
  return headOf(SWITCHING, {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Accept": await acceptOf(key),
    "Sec-WebSocket-Protocol": "ZWS2.0/NULL",
    ...fields,
  });
}

describe("a connecting ws:// socket", () => {
  afterEach(() => cleanup.run());

  it("asks for the path and the host it was given, with the subprotocols (ZWS2-HS-02, ZWS2-HS-03)", async () => {
    const { server } = await connected("/chat/a?b=c");
    const request = await takeHead(await server.accept());
    assertEquals(request[0], "GET /chat/a?b=c HTTP/1.1");
    for (
      const line of [
        `Host: ${server.endpoint.slice(6)}`,
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: ZWS2.0/NULL, ZWS2.0",
      ]
    ) assertEquals(request.includes(line), true, `${line}\n\n${request.join("\n")}`);
  });

  it("refuses a host that no request can name, at once", () => {
    const dealer = cleanup.add(new Dealer({ context: new Context() }));
    for (const host of ["user@a", "a b", 'a"b', "a<b"]) {
      const error = assertThrows(() => dealer.connect(`ws://${host}:80/`), EndpointError);
      assertEquals(error.code, "EINVAL");
    }
  });

  it("uses a fresh key each time", async () => {
    const { server } = await connected();
    const keys = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const connection = await server.accept();
      const request = await takeHead(connection);
      keys.add(request.find((line) => line.startsWith("Sec-WebSocket-Key: "))!);
      connection.destroy();
    }
    assertEquals(keys.size, 3);
  });

  it("does not believe a wrong answer, and gives such a server up (ZWS2-HS-07)", async () => {
    const wrong: readonly (readonly [Fields, string])[] = [
      [{ "Sec-WebSocket-Accept": "HSmrc0sMlYUkAGmm5OPpG2HaGWk=" }, "ERR_WS_UPGRADE"],
      [{ "Sec-WebSocket-Accept": undefined }, "ERR_WS_UPGRADE"],
      [{ "Upgrade": undefined }, "ERR_WS_UPGRADE"],
      [{ "Connection": "close" }, "ERR_WS_UPGRADE"],
      [{ "Sec-WebSocket-Extensions": "permessage-deflate" }, "ERR_WS_UPGRADE"],
      [{ "Sec-WebSocket-Protocol": undefined }, "ERR_WS_SUBPROTOCOL"],
      [{ "Sec-WebSocket-Protocol": "ZWS1.0" }, "ERR_WS_SUBPROTOCOL"],
      [{ "Sec-WebSocket-Protocol": "chat" }, "ERR_WS_SUBPROTOCOL"],
      [{ "X": "x".repeat(9000) }, "ERR_WS_UPGRADE"],
    ];
    for (const [fields, code] of wrong) {
      const { server, log } = await connected();
      const connection = await server.accept();
      connection.send(await answerTo(await takeHead(connection), fields));
      const [type, found] = await told(log);
      assertEquals([type, found], ["handshake:error:protocol", code], JSON.stringify(fields));
      await connection.untilClosed(WAIT_MS);
      await eventually(() => log.types.includes("disconnect"));
      assertEquals(log.types.includes("connect:retry"), false);
    }
  });

  it("connects again to a server that opens no WebSocket, until it does, and tells its status", async () => {
    const { dealer, server, log } = await connected();
    for (
      const [start, part] of [
        ["404 Not Found", `404 "Not Found"`],
        ["400 No", "subprotocols"],
        ["502 Bad Gateway", "check"],
      ]
    ) {
      const connection = await server.accept();
      await takeHead(connection);
      connection.send(utf8(`HTTP/1.1 ${start}\r\nContent-Length: 3\r\n\r\nno\n`));
      const [type, code, text] = await told(log);
      assertEquals([type, code], ["handshake:error:other", "ECONNREFUSED"]);
      assertStringIncludes(text, part);
      connection.destroy();
    }
    const good = await RawWebSocket.acceptAs(await server.accept(), "ROUTER");
    await dealer.send("at last");
    assertEquals(textsOf(await good.hear()), ["at last"]);
  });

  it("is not held up by a server that says nothing, or never ends its answer", async () => {
    const { server, log } = await connected("", { handshakeInterval: 300 });
    for (const said of ["", `${SWITCHING}\r\nUpgrade: web`]) {
      const connection = await server.accept();
      connection.send(utf8(said));
      assertEquals((await told(log)).slice(0, 2), ["handshake:error:other", "ETIMEDOUT"]);
      connection.destroy();
    }
  });

  it("says what it found where another protocol is spoken", async () => {
    for (
      const [octets, part] of [
        [Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f), "tcp://"],
        [Uint8Array.of(0x15, 3, 1, 0, 2, 2, 70), "wss://"],
        [utf8("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "SSH-2.0"],
      ] as const
    ) {
      const { server, log } = await connected();
      const connection = await server.accept();
      connection.send(octets);
      const [type, code, text] = await told(log);
      assertEquals([type, code], ["handshake:error:protocol", "ERR_WS_UPGRADE"]);
      assertStringIncludes(text, part);
      connection.destroy();
    }
  });
});
