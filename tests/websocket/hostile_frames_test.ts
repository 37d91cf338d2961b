// Peers that break the rules of WebSockets once they are open: each gets the close code that RFC 6455 names, what it had sent
// before is delivered, nothing after, and another peer is served as before.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Context, Dealer } from "../../mod.ts";
import { textsOf, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { concat } from "../_util/octets.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { CLOSE, closing, RawWebSocket } from "../_util/raw_web_socket.ts";
import { FAULTS, LIMIT } from "../_util/web_socket_faults.ts";
import { WebSocketStage } from "../_util/web_socket_stage.ts";

const WAIT_MS = 15_000;

/** How octets are sent: whole, and one by one with more behind them. */
const WAYS = ["whole", "octet by octet"] as const;

/** Says the octets, with a message before them and one behind. */
async function say(peer: RawWebSocket, octets: Uint8Array, way: (typeof WAYS)[number]) {
  const all = concat(peer.frame("\0before"), octets);
  if (way === "whole") return peer.connection.send(all, peer.frame("\0behind"));
  // What is behind the fault may find the connection closed already.
  const pieces = all.length > 500 ? [all.subarray(0, -300), all.subarray(-300)] : [all];
  for (const piece of pieces) {
    if (piece.length > 300) await peer.connection.flush(piece);
    else for (const octet of piece) peer.connection.send(Uint8Array.of(octet));
  }
}

describe("a bound socket, from a client that sends", () => {
  const cleanup = new Cleanup();
  let stage: WebSocketStage;
  before(async () => {
    stage = await WebSocketStage.open(cleanup, { maxMessageSize: LIMIT });
    await stage.serves();
  });
  after(() => cleanup.run());

  for (const { name, octets, closeCode, code } of FAULTS) {
    it(`${name}: the code ${closeCode}`, async () => {
      for (const way of WAYS) {
        stage.received.length = 0;
        const peer = await stage.insider();
        await say(peer, octets(peer), way);
        assertEquals((await peer.untilClose()).code, closeCode);
        await peer.part(closeCode);
        peer.connection.destroy();
        await stage.tells("disconnect", code);
        await stage.serves();
        assertEquals(stage.received.slice(0, -1), ["before"]);
      }
    });
  }
});

describe("a connecting socket, from a server that sends", () => {
  const cleanup = new Cleanup();
  let good: RawWebSocket;
  let dealer: Dealer;
  let log: EventLog;
  let server: RawServer;
  before(async () => {
    dealer = cleanup.add(new Dealer({ context: new Context(), maxMessageSize: LIMIT }));
    log = new EventLog(dealer);
    const first = cleanup.add(await RawServer.listen());
    server = cleanup.add(await RawServer.listen());
    await dealer.connect(first.endpoint.replace("tcp", "ws"));
    good = await RawWebSocket.acceptAs(await first.accept(), "ROUTER");
  });
  after(() => cleanup.run());

  for (const { name, octets, closeCode, code } of FAULTS) {
    it(`${name}: the code ${closeCode}`, async () => {
      for (const way of WAYS) {
        const seen = log.all.length;
        // Who breaks the protocol is given up, so that each is connected anew.
        await dealer.connect(server.endpoint.replace("tcp", "ws"));
        const peer = await RawWebSocket.acceptAs(await server.accept(), "ROUTER");
        await say(peer, octets(peer), way);
        assertEquals((await peer.untilClose()).code, closeCode);
        await peer.part(closeCode);
        peer.connection.destroy();
        const ends = () => log.all.slice(seen).filter(({ type }) => type === "disconnect");
        await eventually(() => ends().length > 0, WAIT_MS, "disconnect");
        assertEquals(codeOf(ends()[0]), code);
        good.say("good");
        assertEquals(textsOf(await dealer.receive()), ["before"]);
        assertEquals(textsOf(await dealer.receive()), ["good"]);
      }
    });
  }
});

describe("a peer that breaks the rules", () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  it("is told in words what it did", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const peer = await stage.insider();
    peer.send("text", { opcode: 1 });
    assertStringIncludes((await peer.nextClose()).reason, "text");
  });

  it("and does not read the close code, or answer it, is gone all the same", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const peer = await stage.insider();
    peer.connection.pause();
    peer.send("text", { opcode: 1 });
    await stage.tells("disconnect", "ERR_WS_FRAME");
    await stage.serves();
  });

  it("and says no WebSocket close, but ends the connection in a message, delivers none of it", async () => {
    const stage = await WebSocketStage.open(cleanup);
    await stage.serves();
    stage.received.length = 0;
    for (
      const octets of [
        (peer: RawWebSocket) => peer.frame("\x01part").subarray(0, -1),
        (peer: RawWebSocket) => peer.frame("\x01part"),
        (peer: RawWebSocket) =>
          concat(peer.frame("\x01part"), peer.frame("\0rest", { fin: false })),
      ]
    ) {
      const peer = await stage.insider();
      const { length } = stage.log.of("disconnect");
      await peer.connection.flush(octets(peer));
      peer.connection.destroy();
      await eventually(() => stage.log.of("disconnect").length > length, WAIT_MS);
      await stage.serves();
    }
    assertEquals(stage.received.filter((text) => !text.startsWith("good")), []);
  });

  it("closes in the middle of a message: it gets its code back, and none of the message is delivered (ZWS2-HB-02)", async () => {
    const stage = await WebSocketStage.open(cleanup);
    await stage.serves();
    stage.received.length = 0;
    for (
      const begun of [
        (peer: RawWebSocket) => peer.frame("\x01part"),
        (peer: RawWebSocket) => peer.frame("\0fragment", { fin: false }),
      ]
    ) {
      const peer = await stage.insider();
      peer.connection.send(begun(peer), peer.frame(closing(1001, "bye"), { opcode: CLOSE }));
      assertEquals(await peer.nextClose(), { code: 1001, reason: "bye" });
      await peer.connection.untilClosed(WAIT_MS);
      peer.connection.destroy();
      await stage.serves();
    }
    assertEquals(stage.received.filter((text) => !text.startsWith("good")), []);
  });

  it("cannot have memory taken by a length that it announces", async () => {
    // Each may announce 2 GB, and sends two octets.
    const stage = await WebSocketStage.open(cleanup);
    const peers: RawWebSocket[] = [];
    for (let i = 0; i < 50; i++) {
      const peer = await stage.insider();
      peer.connection.send(peer.frame("\0a", { announced: (1n << 31n) - 1n }));
      peers.push(peer);
    }
    await stage.serves();
  });

  it("cannot have answers to its pings pile up that it does not read", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const peer = await stage.insider();
    peer.connection.pause();
    const pings = concat(
      ...Array.from({ length: 1000 }, () => peer.frame(new Uint8Array(125), { opcode: 9 })),
    );
    for (let i = 0; i < 100; i++) {
      if (peer.connection.isClosed) break;
      void peer.connection.flush(pings);
    }
    await stage.serves();
    peer.connection.destroy();
    await eventually(() => stage.log.of("disconnect").length === 1, WAIT_MS);
    await stage.serves();
  });

  it("sends commands that ZMTP does not know, or that are malformed: the first are passed over, the others end it", async () => {
    const stage = await WebSocketStage.open(cleanup);
    const peer = await stage.insider();
    peer.send(concat(Uint8Array.of(2, 7), utf8("UNKNOWNdata")));
    peer.say("still here");
    assertEquals(textsOf(await peer.hear()), ["still here"]);
    peer.send(Uint8Array.of(2, 9, 65));
    assertEquals((await peer.nextClose()).code, 1002);
    await peer.part();
    await stage.tells("disconnect", "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED");
  });
});
