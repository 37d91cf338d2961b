// Numbers that peers choose, far above what one call can have as arguments: nothing is thrown where nobody expects it.

import { assert, assertEquals, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Push, Router, Subscriber } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { begun, HostileStage, isOver, repeated, take } from "../_util/hostile_stage.ts";
import { messagesAfterHandshake } from "../_util/link_stand.ts";
import { memory } from "../_util/memory.ts";
import { concat } from "../_util/octets.ts";
import { frame, greeting, longHeader, message, ready } from "../_util/raw_zmtp.ts";
import { systemError } from "../_util/scripted_runtime.ts";

/** More than a call can have on any runtime's stack. */
const MANY = 130_000;
const MB = 1_000_000;
const cleanup = new Cleanup();

describe("a great number of", () => {
  afterEach(() => cleanup.run());

  it("messages that a lost peer did not read goes to the next one, whole and in order", async () => {
    const stage = await HostileStage.open(
      cleanup,
      "PULL",
      (context) => new Push({ context, sendHighWaterMark: 0, linger: 0 }),
    );
    const deaf = stage.stranger({ room: 64 + 100 });
    deaf.deliver(concat(greeting(), ready("PULL")));
    for (let i = 0; i < MANY; i++) await stage.socket.send("unread");
    deaf.end(systemError("ECONNRESET"));
    const next = stage.stranger();
    next.deliver(concat(greeting(), ready("PULL")));
    await stage.socket.send("end");
    let got: Uint8Array = new Uint8Array(0);
    const whole = (): boolean => {
      got = concat(got, next.takeOutput());
      return got.subarray(-5).join() === frame("end").join();
    };
    await eventually(whole, 10_000);
    const count = messagesAfterHandshake(got).length;
    // What the system had taken of the first connection was lost with it.
    assert(count > MANY - 50 && count <= MANY + 1, `${count} messages`);
  });

  it("frames of a message that goes on may be unsubscribed from", async () => {
    const stage = await HostileStage.open(cleanup, "PUB", (context) => {
      const socket = new Subscriber({ context, maxMessageParts: 0 });
      socket.subscribe("a", "b");
      return socket;
    });
    const publisher = stage.insider();
    const part = frame("b", true);
    // Each comes by itself, as no two of them lie side by side in memory then.
    for (let i = 0; i < MANY; i++) publisher.deliver(part);
    stage.socket.unsubscribe("a");
    publisher.deliver(frame("end"));
    const frames = await take(stage.socket);
    assertEquals(frames.length, MANY + 1);
    for (let i = 0; i < MANY; i++) publisher.deliver(part);
    stage.socket.unsubscribe("b");
    publisher.deliver(frame("end"));
    assertEquals(stage.socket.readable, false);
    assert(!isOver(publisher));
  });

  it("announced octets takes no memory but for those that come", async () => {
    const stage = await HostileStage.open(cleanup, "PUSH", (context) => new Pull({ context }));
    const healthy = stage.insider();
    const peers = Array.from({ length: 300 }, () => stage.insider());
    const before = memory();
    for (const peer of peers) peer.deliver(begun(2 ** 31 - 1, 100));
    // A megabyte of each is believed, and not touched before something is put there.
    assertLess(memory() - before, 100 * MB);
    for (const peer of peers) peer.deliver(new Uint8Array(10_000));
    healthy.deliver(message("healthy"));
    assertFrames(await take(stage.socket), ["healthy"]);
    for (const peer of peers) peer.end();
    assertEquals(stage.socket.stats().peers.length, 1);
  });

  it("frames is one message for a ROUTER, and goes back as one", async () => {
    const stage = await HostileStage.open(
      cleanup,
      "DEALER",
      (context) => new Router({ context, maxMessageParts: 0 }),
    );
    const client = stage.insider("client");
    const octets = concat(repeated(MANY, frame("x", true)), frame("y"));
    client.deliver(octets);
    const frames = await take(stage.socket);
    assertEquals(frames.length, MANY + 2);
    await stage.socket.send(frames as Uint8Array<ArrayBuffer>[]);
    assertEquals(client.takeOutput().length, octets.length);
    client.deliver(message("still", "here"));
    assertFrames(await take(stage.socket), ["client", "still", "here"]);
  });
});

describe("a frame of a size that is too large", () => {
  afterEach(() => cleanup.run());

  const sizes = [2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];

  async function assertRefused(
    octets: Uint8Array,
    options: object,
    ...says: readonly RegExp[]
  ): Promise<void> {
    for (const cut of [Infinity, 1]) {
      const stage = await HostileStage.open(
        cleanup,
        "PUSH",
        (context) => new Pull({ context, ...options }),
      );
      const [healthy, hostile] = [stage.insider(), stage.insider()];
      hostile.deliver(concat(message("before"), octets), cut);
      assert(isOver(hostile));
      await stage.tells("disconnect", "EMSGSIZE", ...says);
      healthy.deliver(message("healthy"));
      const got = [await take(stage.socket), await take(stage.socket)].map(String);
      assertEquals(got.sort(), ["before", "healthy"]);
      assertEquals(stage.socket.readable, false);
      await cleanup.run();
    }
  }

  for (const size of sizes) {
    it(`ends the peer at its header, which says ${size}, and the event says so`, async () => {
      const number = new RegExp(`\\b${size}\\b`);
      await assertRefused(longHeader(size), {}, number, /\b2147483647\b/);
      await assertRefused(longHeader(size, 1), {}, number);
      await assertRefused(longHeader(size, 4), {}, number, /\b65536\b/);
    });
  }

  it("says which option is in the way, and just as much is fine", async () => {
    const options = { maxMessageSize: 1_000 };
    await assertRefused(longHeader(1_001n), options, /\b1001\b.*\b1000\b.*maxMessageSize/s);
    await assertRefused(frame(new Uint8Array(1_001)), options, /\b1001\b.*maxMessageSize/s);
    const stage = await HostileStage.open(
      cleanup,
      "PUSH",
      (context) => new Pull({ context, ...options }),
    );
    const peer = stage.insider();
    for (const cut of [Infinity, 1]) {
      peer.deliver(frame(new Uint8Array(1_000)), cut);
      assertEquals((await take(stage.socket))[0].length, 1_000);
    }
  });
});
