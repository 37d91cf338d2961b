// WebSockets whose peers do not read, or whose socket is not received from: what waits is bounded, and nothing is lost or
// mixed up when it goes on.

import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Dealer, Pull, Push } from "../../mod.ts";
import { textOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, within } from "../_util/deadline.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { bodied, CLOSE, PING, PONG, RawWebSocket } from "../_util/raw_web_socket.ts";

const WAIT_MS = 30_000;
const LARGE = 1024 * 1024;

const cleanup = new Cleanup();

/** A PUSH and its one peer, on either side of the connection. */
async function pushAndPeer(
  side: "bound" | "connected",
  options: object = {},
): Promise<{ push: Push; peer: RawWebSocket }> {
  const push = cleanup.add(new Push({ context: new Context(), sendHighWaterMark: 10, ...options }));
  if (side === "bound") {
    await push.bind("ws://127.0.0.1:*");
    const peer = await RawWebSocket.connectAs(push.lastEndpoint!, "PULL");
    cleanup.add(peer.connection);
    return { push, peer };
  }
  const server = cleanup.add(await RawServer.listen());
  await push.connect(server.endpoint.replace("tcp", "ws"));
  return { push, peer: await RawWebSocket.acceptAs(await server.accept(), "PULL") };
}

/** Message number `i`: its number, then octets that depend on it. */
function numbered(i: number, size: number): Uint8Array {
  const body = pattern(size, i);
  new DataView(body.buffer, body.byteOffset).setUint32(0, i);
  return body;
}

describe("a peer that does not read, over ws://", () => {
  afterEach(() => cleanup.run());

  for (const side of ["bound", "connected"] as const) {
    it(`stops a ${side} socket that sends to it, and loses nothing when it reads on`, async () => {
      const { push, peer } = await pushAndPeer(side);
      peer.connection.pause();
      await push.send(numbered(0, LARGE));
      let sent = 1;
      while (sent < 200 && push.trySend(numbered(sent, LARGE))) {
        sent++;
        // What the system takes leaves in the meantime.
        await pause(1);
      }
      assertLess(sent, 200);
      assertGreaterOrEqual(sent, 10);
      peer.connection.resume();
      for (let i = 0; i < sent; i++) {
        const [body] = await peer.hear();
        assertOctets(body, numbered(i, LARGE), `message ${i}`);
      }
      await push.send("more");
      assertEquals((await peer.hear()).map(textOf), ["more"]);
    });

    it(`gets the pongs of a ${side} socket between whole frames, whatever waits`, async () => {
      const { push, peer } = await pushAndPeer(side);
      peer.connection.pause();
      const sizes = [LARGE, 10, 70_000, LARGE, 300];
      for (const [i, size] of sizes.entries()) await push.send(numbered(i, size));
      for (let i = 0; i < 5; i++) peer.send(`ping ${i}`, { opcode: PING });
      peer.connection.resume();
      const pongs: string[] = [];
      let heard = 0;
      while (heard < sizes.length || pongs.length < 5) {
        const { opcode, fin, payload } = await within(peer.next(), WAIT_MS, "a frame");
        assert(fin);
        if (opcode === PONG) pongs.push(textOf(payload));
        else {
          assertOctets(payload.subarray(1), numbered(heard, sizes[heard]));
          heard++;
        }
      }
      assertEquals(pongs, [0, 1, 2, 3, 4].map((i) => `ping ${i}`));
    });

    it(`does not keep a ${side} socket from closing`, async () => {
      const { push, peer } = await pushAndPeer(side, { linger: 0 });
      peer.connection.pause();
      for (let i = 0; i < 8; i++) await push.send(numbered(i, LARGE));
      await within(push.close(), WAIT_MS, "close");
    });
  }

  it("gets all that waits before the last frame of a socket that closes and lingers", async () => {
    const { push, peer } = await pushAndPeer("bound", { linger: WAIT_MS });
    for (let i = 0; i < 8; i++) await push.send(numbered(i, 100_000));
    const closed = push.close();
    for (let i = 0; i < 8; i++) {
      assertOctets((await peer.hear())[0], numbered(i, 100_000));
    }
    assertEquals((await peer.nextClose()).code, 1000);
    peer.send(Uint8Array.of(3, 232), { opcode: CLOSE });
    await within(closed, WAIT_MS, "close");
  });
});

describe("a socket that is not received from, over ws://", () => {
  afterEach(() => cleanup.run());

  it("stops reading, and gives everything when it is", async () => {
    const pull = cleanup.add(new Pull({ context: new Context(), receiveHighWaterMark: 10 }));
    await pull.bind("ws://127.0.0.1:*");
    const peer = await RawWebSocket.connectAs(pull.lastEndpoint!, "PUSH");
    cleanup.add(peer.connection);
    const count = 200;
    let taken = 0;
    const flushes: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      const flushed = peer.connection.flush(peer.frame(bodied(0, numbered(i, 200_000))));
      flushes.push(flushed.then(() => void taken++));
    }
    // It settles when the buffers of both sides are full.
    let before = -1;
    await eventually(async () => {
      const settled = taken === before;
      before = taken;
      if (!settled) await pause(300);
      return settled;
    }, WAIT_MS);
    assertLess(taken, count);
    for (let i = 0; i < count; i++) {
      const [body] = await within(pull.receive(), WAIT_MS, `message ${i}`);
      assertOctets(body, numbered(i, 200_000));
    }
    await within(Promise.all(flushes), WAIT_MS, "all is taken");
  });

  it("answers a close all the same, once it is received from", async () => {
    const dealer = cleanup.add(new Dealer({ context: new Context(), receiveHighWaterMark: 2 }));
    await dealer.bind("ws://127.0.0.1:*");
    const peer = await RawWebSocket.connectAs(dealer.lastEndpoint!, "ROUTER");
    cleanup.add(peer.connection);
    const frames = Array.from({ length: 100 }, (_, i) => peer.frame(bodied(0, `${i}`)));
    peer.connection.send(concat(...frames), peer.frame("", { opcode: CLOSE }));
    for (let i = 0; i < 100; i++) {
      assertEquals((await within(dealer.receive(), WAIT_MS, "a message")).map(textOf), [`${i}`]);
    }
    assertEquals((await peer.nextClose()).code, 1005);
  });
});
