// Requests that a bound WebSocket endpoint must not let in: each gets the status that the RFCs name, its connection ends,
// the event says why, and a good peer is served as before.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { fromHex, textsOf, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { RawWebSocket, readying, takeHead } from "../_util/raw_web_socket.ts";
import { greeting } from "../_util/raw_zmtp.ts";
import { concat } from "../_util/octets.ts";
import { type Fields, KEY, requestOf } from "../_util/upgrade.ts";
import { WebSocketStage } from "../_util/web_socket_stage.ts";

const UPGRADE = "ERR_WS_UPGRADE";
const SUBPROTOCOL = "ERR_WS_SUBPROTOCOL";
/** Longer than any machine takes for it. */
const WAIT_MS = 15_000;

const cleanup = new Cleanup();

/** Says something, and expects this status, the end of the connection and an event. */
async function refused(
  stage: WebSocketStage,
  said: Uint8Array,
  status: number,
  code: string = UPGRADE,
): Promise<string[]> {
  const stranger = await stage.stranger();
  stranger.send(said);
  const lines = await takeHead(stranger);
  assertMatch(lines[0], new RegExp(`^HTTP/1\\.1 ${status} [A-Z]`));
  assert(lines.some((line) => /^Connection: close\b/.test(line)), lines.join("\n"));
  await stranger.untilClosed(WAIT_MS);
  stranger.destroy();
  await stage.tells("handshake:error:protocol", code);
  await stage.serves();
  return lines;
}

describe("a bound ws:// endpoint", () => {
  afterEach(() => cleanup.run());

  it("refuses requests without a subprotocol that it speaks, with 400 (ZWS2-HS-04)", async () => {
    const stage = await WebSocketStage.open(cleanup);
    await stage.serves();
    for (
      const protocol of [
        undefined,
        "",
        "chat",
        "ZWS2.0/PLAIN",
        "ZWS2.0/CURVE",
        "ZWS2.0/BEARER",
        "zws2.0",
        "ZWS1.0",
      ]
    ) {
      const said = requestOf({ "Sec-WebSocket-Protocol": protocol });
      const lines = await refused(stage, said, 400, SUBPROTOCOL);
      assertStringIncludes(lines.at(-1)!, "ZWS2.0/NULL");
    }
  });

  it("refuses bad upgrades with the status that says what is wrong", async () => {
    const stage = await WebSocketStage.open(cleanup);
    await stage.serves();
    const cases: readonly (readonly [number, Uint8Array])[] = [
      [400, requestOf({ "Host": undefined })],
      [400, requestOf({ "Host": ["a", "b"] })],
      [400, requestOf({ "Connection": "keep-alive" })],
      [400, requestOf({ "Sec-WebSocket-Key": undefined })],
      [400, requestOf({ "Sec-WebSocket-Key": "c2hvcnQ=" })],
      [400, requestOf({ "Sec-WebSocket-Key": [KEY, KEY] })],
      [400, requestOf({ "Content-Length": "5" })],
      [400, requestOf({ "Transfer-Encoding": "chunked" })],
      [400, requestOf({ "Bad name": "x" })],
      [400, utf8("GET / HTTP/1.1\nHost: a\n\n")],
      [400, requestOf({}, "NONSENSE")],
      [405, requestOf({}, "POST / HTTP/1.1")],
      [426, requestOf({ "Upgrade": undefined })],
      [426, requestOf({ "Sec-WebSocket-Version": "8" })],
      [426, requestOf({ "Sec-WebSocket-Version": undefined })],
      [431, requestOf({ "Cookie": "c".repeat(9000) })],
      [505, requestOf({}, "GET / HTTP/1.0")],
    ];
    for (const [status, said] of cases) await refused(stage, said, status);
  });

  it("says with 426 which version there is", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const lines = await refused(stage, requestOf({ "Sec-WebSocket-Version": "7" }), 426);
    assert(lines.includes("Sec-WebSocket-Version: 13"), lines.join("\n"));
  });

  it("knows TLS and ZMTP by their first octets, and does not wait for more", async () => {
    const stage = await WebSocketStage.open(cleanup);
    await stage.serves();
    const hello = fromHex("16 0301 00c8 0100 00c4 0303");
    for (const [said, hint] of [[hello, "TLS"], [greeting(), "ZMTP"]] as const) {
      const lines = await refused(stage, said, 400);
      assertStringIncludes(lines.at(-1)!, hint);
    }
  });

  it("waits no longer than handshakeInterval for a request that does not end", async () => {
    const stage = await WebSocketStage.open(cleanup, { handshakeInterval: 300 });
    const halves = [utf8(""), utf8("GET / HT"), requestOf().subarray(0, -1)];
    for (const half of halves) {
      const stranger = await stage.stranger();
      stranger.send(half);
      await stranger.untilClosed(WAIT_MS);
      stranger.destroy();
      await stage.tells("handshake:error:other", "ETIMEDOUT");
      await stage.serves();
    }
  });

  it("waits no longer than that for the handshake of ZeroMQ behind a good request (ZWS2-X-01)", async () => {
    const stage = await WebSocketStage.open(cleanup, { handshakeInterval: 300 });
    for (const protocol of ["ZWS2.0/NULL", "ZWS2.0"]) {
      const guest = await stage.guest(protocol);
      await guest.connection.untilClosed(WAIT_MS);
      guest.connection.destroy();
      await stage.tells("handshake:error:other", "ETIMEDOUT");
    }
    await stage.serves();
  });

  it("takes a request in any pieces, with frames behind it", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const request = requestOf();
    const webSocket = (stranger: Awaited<ReturnType<typeof stage.stranger>>) =>
      new RawWebSocket(stranger, true);
    const { frame } = RawWebSocket.prototype;
    const masked = frame.bind(webSocket(await stage.stranger()));
    const behind = concat(masked(readying("DEALER")), masked("\0early"));
    const all = concat(request, behind);
    for (const cut of [1, 20, request.length - 1, request.length, request.length + 3, all.length]) {
      const stranger = await stage.stranger();
      await stranger.flush(all.subarray(0, cut));
      stranger.send(all.subarray(cut));
      assertEquals((await takeHead(stranger))[0], "HTTP/1.1 101 Switching Protocols");
      const peer = webSocket(stranger);
      assertEquals((await peer.next()).payload[0], 2);
      assertEquals(textsOf(await peer.hear()), ["early"]);
      stranger.destroy();
    }
  });

  it("takes a request octet by octet, and what comes after it", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const stranger = await stage.stranger();
    const peer = new RawWebSocket(stranger, true);
    for (
      const octet of concat(requestOf(), peer.frame(readying("DEALER")), peer.frame("\0slow"))
    ) await stranger.flush(Uint8Array.of(octet));
    await takeHead(stranger);
    await peer.next();
    assertEquals(textsOf(await peer.hear()), ["slow"]);
  });

  it("serves all paths when it has none, else its own only, with 404 for others", async () => {
    const all = await WebSocketStage.open(cleanup);
    for (const path of ["", "/", "/a", "/a/b?c=d"]) await all.guest("ZWS2.0/NULL", path);
    const one = await WebSocketStage.open(cleanup, {}, "ws://127.0.0.1:*/chat");
    assertMatch(one.endpoint, /^ws:\/\/127\.0\.0\.1:\d+\/chat$/);
    await one.serves();
    await one.guest("ZWS2.0/NULL", "?type=DEALER");
    for (const path of ["/", "/chat/", "/chats", "/Chat"]) {
      await refused(one, requestOf({}, `GET ${path} HTTP/1.1`), 404);
    }
  });
});

describe("the origins option of a bound ws:// endpoint", () => {
  afterEach(() => cleanup.run());

  const page = (origin: string, fields: Fields = {}): Uint8Array =>
    requestOf({ "Origin": origin, ...fields });

  it("lets in every page where nobody needs credentials", async () => {
    const stage = await WebSocketStage.open(cleanup);
    for (const origin of ["https://example.org", "null"]) {
      const stranger = await stage.stranger();
      stranger.send(page(origin));
      assertMatch((await takeHead(stranger))[0], / 101 /);
    }
  });

  it("lets in pages of its own host and port only where peers need credentials, with 403 for others", async () => {
    const stage = await WebSocketStage.open(cleanup, { plainServer: true });
    const protocols = { "Sec-WebSocket-Protocol": "ZWS2.0/PLAIN" };
    const { host } = new URL(stage.endpoint.replace(/^ws/, "http"));
    for (const origin of [`http://${host}`, undefined]) {
      const stranger = await stage.stranger();
      const fields = { "Host": host, ...protocols };
      stranger.send(origin === undefined ? requestOf(fields) : page(origin, fields));
      assertMatch((await takeHead(stranger))[0], / 101 /);
    }
    for (const origin of ["https://example.org", "null", "http://127.0.0.1"]) {
      const stranger = await stage.stranger();
      stranger.send(page(origin, { "Host": host, ...protocols }));
      assertMatch((await takeHead(stranger))[0], / 403 /);
      await stranger.untilClosed(WAIT_MS);
      stranger.destroy();
      await stage.tells("handshake:error:protocol", UPGRADE);
    }
  });

  it("lets in those on its list, or all with a star", async () => {
    const listed = await WebSocketStage.open(cleanup, { origins: ["https://a", "https://b"] });
    await listed.serves();
    await refused(listed, page("https://c"), 403);
    const open = await WebSocketStage.open(cleanup, { origins: "*" });
    for (const [stage, origin] of [[listed, "https://b"], [open, "https://c"]] as const) {
      const stranger = await stage.stranger();
      stranger.send(page(origin));
      assertMatch((await takeHead(stranger))[0], / 101 /);
    }
  });
});
