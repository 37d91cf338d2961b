// Strangers on an open WebSocket that have not yet said who they are: what they may have us hold, and for how long, is
// bounded, and others are served meanwhile.

import { assert, assertEquals, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Dealer } from "../../mod.ts";
import { textsOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { KEYS } from "../_util/curve_vectors.ts";
import { eventually } from "../_util/deadline.ts";
import { concat, pattern } from "../_util/octets.ts";
import { type RawConnection, RawServer } from "../_util/raw_peer.ts";
import {
  CLOSE,
  closing,
  CONTINUATION,
  PING,
  PONG,
  RawWebSocket,
  readying,
  TEXT,
} from "../_util/raw_web_socket.ts";
import { requestOf } from "../_util/upgrade.ts";
import { WebSocketStage } from "../_util/web_socket_stage.ts";

const WAIT_MS = 15_000;
const PIECE = 64 * 1024;
const MOST = 64;

const cleanup = new Cleanup();

/** Sends fragments until the other side has had enough; answers how many that took. */
async function pour(peer: RawWebSocket, flags: number): Promise<number> {
  const piece = new Uint8Array(PIECE);
  piece[0] = flags;
  for (let i = 0; i < MOST; i++) {
    if (peer.connection.isClosed) return i;
    peer.send(piece, { opcode: i === 0 ? 2 : CONTINUATION, fin: false });
    // A ping says when it was taken.
    peer.send(`${i}`, { opcode: PING });
    for (;;) {
      const { opcode } = await peer.next();
      if (opcode === CLOSE) return i;
      if (opcode === PONG) break;
    }
  }
  return MOST;
}

describe("a stranger past the upgrade", () => {
  afterEach(() => cleanup.run());

  const server = { curveServer: true, curveSecretKey: KEYS.serverSecret };

  it("cannot have a message in fragments collected before its handshake", async () => {
    for (
      const [protocol, options, flags] of [
        ["ZWS2.0/NULL", {}, [0, 1, 2]],
        ["ZWS2.0", {}, [0, 1]],
        ["ZWS2.0/CURVE", server, [0, 1, 2]],
      ] as const
    ) {
      const stage = await WebSocketStage.open(cleanup, options);
      for (const flag of flags) {
        const guest = await stage.guest(protocol);
        assertLess(await pour(guest, flag), 4, `${protocol}, flags ${flag}`);
        guest.connection.destroy();
        await stage.tells("handshake:error:protocol", "EMSGSIZE");
      }
    }
  });

  it("cannot do so as a server either", async () => {
    const listener = cleanup.add(await RawServer.listen());
    const dealer = cleanup.add(new Dealer({ context: new Context() }));
    await dealer.connect(listener.endpoint.replace("tcp", "ws"));
    const { webSocket } = await RawWebSocket.accept(await listener.accept());
    assertLess(await pour(webSocket, 0), 4);
  });

  it("may send a large message in fragments right behind its handshake", async () => {
    const stage = await WebSocketStage.open(cleanup);
    for (const [protocol, hello] of [["ZWS2.0/NULL", readying("DEALER")], ["ZWS2.0", "\0"]]) {
      const stranger = await stage.stranger();
      const peer = new RawWebSocket(stranger, true);
      const body = pattern(300_000);
      stranger.send(
        requestOf({ "Sec-WebSocket-Protocol": protocol as string }),
        peer.frame(hello),
        peer.frame("\0", { fin: false }),
        peer.frame(body.subarray(0, 200_000), { opcode: CONTINUATION, fin: false }),
        peer.frame(body.subarray(200_000), { opcode: CONTINUATION }),
      );
      let head = "";
      while (!head.endsWith("\r\n\r\n")) head += String.fromCharCode((await stranger.take(1))[0]);
      await peer.next();
      const [echo] = await peer.hear();
      assertEquals(echo.length, body.length);
      assert(echo.every((octet, i) => octet === body[i]));
      stranger.destroy();
    }
  });

  it("does not keep its place by pings and pongs", async () => {
    const stage = await WebSocketStage.open(cleanup, { handshakeInterval: 500 });
    const guest = await stage.guest();
    await guest.next();
    let pongs = 0;
    try {
      while (!guest.connection.isClosed) {
        guest.send("", { opcode: PING });
        guest.send("", { opcode: PONG });
        if ((await guest.next()).opcode === PONG) pongs++;
      }
    } catch {
      // The connection ended while a pong was waited for.
    }
    assert(pongs > 0);
    await stage.tells("handshake:error:other", "ETIMEDOUT");
    await stage.serves();
  });

  it("does not keep its place by a frame that comes octet by octet, or not at all", async () => {
    const stage = await WebSocketStage.open(cleanup, { handshakeInterval: 500 });
    const starts = [
      (peer: RawWebSocket) => peer.frame(readying("DEALER")).subarray(0, 1),
      (peer: RawWebSocket) => peer.frame(readying("DEALER")).subarray(0, 5),
      (peer: RawWebSocket) => peer.frame(readying("DEALER")).subarray(0, -1),
      (peer: RawWebSocket) => peer.frame(readying("DEALER").subarray(0, 3), { fin: false }),
      (peer: RawWebSocket) => peer.frame("", { opcode: PING }).subarray(0, 3),
    ];
    for (const start of starts) {
      const guest = await stage.guest();
      for (const octet of start(guest)) guest.connection.send(Uint8Array.of(octet));
      await guest.connection.untilClosed(WAIT_MS);
      guest.connection.destroy();
      await stage.tells("handshake:error:other", "ETIMEDOUT");
    }
    await stage.serves();
  });

  it("is told what it did wrong: a text, an unmasked frame, a message before its READY", async () => {
    const stage = await WebSocketStage.open(cleanup);
    await stage.serves();
    for (
      const [octets, closeCode, code] of [
        [(peer: RawWebSocket) => peer.frame("a", { opcode: TEXT }), 1003, "ERR_WS_FRAME"],
        [(peer: RawWebSocket) => peer.frame("\0", { masked: false }), 1002, "ERR_WS_FRAME"],
        [(peer: RawWebSocket) => peer.frame("\0a"), 1002, "ERR_ZMTP_UNEXPECTED_COMMAND"],
        [(peer: RawWebSocket) => peer.frame(""), 1002, "ERR_WS_FRAME"],
      ] as const
    ) {
      const guest = await stage.guest();
      guest.connection.send(octets(guest));
      assertEquals((await guest.untilClose()).code, closeCode);
      await guest.part();
      guest.connection.destroy();
      await stage.tells("handshake:error:protocol", code);
      await stage.serves();
    }
  });

  it("may close before it says who it is", async () => {
    const stage = await WebSocketStage.open(cleanup);
    for (const protocol of ["ZWS2.0/NULL", "ZWS2.0"]) {
      const guest = await stage.guest(protocol);
      guest.send(closing(1000), { opcode: CLOSE });
      assertEquals((await guest.untilClose()).code, 1000);
      await guest.connection.untilClosed(WAIT_MS);
      guest.connection.destroy();
    }
    await stage.serves();
  });

  it("is counted among the pending handshakes, before and after the upgrade", async () => {
    const stage = await WebSocketStage.open(cleanup, { maxPendingHandshakes: 8 });
    await stage.serves();
    const strangers: RawConnection[] = [];
    for (let i = 0; i < 40; i++) strangers.push(await stage.stranger());
    await eventually(() => strangers.filter(({ isClosed }) => isClosed).length >= 32, WAIT_MS);
    await stage.serves();
    for (const stranger of strangers) stranger.destroy();
    await eventually(async () => {
      const guest = await stage.stranger();
      guest.send(requestOf());
      const answered = await guest.take(12).then(() => true, () => false);
      guest.destroy();
      return answered;
    }, WAIT_MS);
  });

  it("may break off anywhere", async () => {
    const stage = await WebSocketStage.open(cleanup);
    await stage.serves();
    const peer = new RawWebSocket(await stage.stranger(), true);
    const all = concat(requestOf(), peer.frame(readying("DEALER")), peer.frame("\0a"));
    for (let cut = 0; cut < all.length; cut += 7) {
      const stranger = await stage.stranger();
      await stranger.flush(all.subarray(0, cut));
      if (cut % 2 === 0) stranger.destroy();
      else stranger.end();
    }
    await stage.serves();
    const guest = await stage.insider();
    guest.say("still");
    assertEquals(textsOf(await guest.hear()), ["still"]);
  });
});
