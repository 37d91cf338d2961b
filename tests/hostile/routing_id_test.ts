// Peers that claim a routing id which another has: without handover they are turned away and the holder notices nothing, with
// it the id changes hands as a whole; nothing that was for the one reaches the other.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Router } from "../../mod.ts";
import { assertFrames, toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import type { FakeStream } from "../_util/fake_stream.ts";
import { eventually } from "../_util/deadline.ts";
import { HostileStage, isOver, take } from "../_util/hostile_stage.ts";
import { messagesAfterHandshake } from "../_util/link_stand.ts";
import { assertMessages, concat, pattern } from "../_util/octets.ts";
import { frame, greeting, message, ready } from "../_util/raw_zmtp.ts";
import { rejection } from "../_util/rejection.ts";

const cleanup = new Cleanup();

function opened(handover: boolean, mandatory = true): Promise<HostileStage<Router>> {
  return HostileStage.open(
    cleanup,
    "DEALER",
    (context) => new Router({ context, handover, mandatory, sendTimeout: 0 }),
  );
}

/** A peer by this name whose stream takes no octet of what is routed to it. */
function deaf(stage: HostileStage<Router>, name: string): FakeStream {
  const own = concat(greeting(), ready("ROUTER", "")).length;
  const stream = stage.stranger({ room: own });
  stream.deliver(concat(greeting(), ready("DEALER", name)));
  return stream;
}

/** Attempts to come in by that name. */
function claim(stage: HostileStage<Router>, name: string): FakeStream {
  const stream = stage.stranger();
  stream.deliver(concat(greeting(), ready("DEALER", name), message("I am", name)));
  return stream;
}

/** These messages, and no others, reach the peer behind its handshake. */
async function hears(stream: FakeStream, ...texts: string[]): Promise<void> {
  let octets: Uint8Array = new Uint8Array(0);
  await eventually(() => {
    stream.drain();
    octets = concat(octets, stream.takeOutput());
    return messagesAfterHandshake(octets).length >= texts.length;
  });
  assertMessages(messagesAfterHandshake(octets), texts.map((text) => [utf8(text)]));
}

describe("a ROUTER without handover", () => {
  afterEach(() => cleanup.run());

  it("turns away whoever claims an id that is taken, and says which", async () => {
    const stage = await opened(false);
    const alice = stage.insider("alice");
    for (let i = 0; i < 200; i++) assert(isOver(claim(stage, "alice")));
    await stage.tells("handshake:error:other", "EADDRINUSE", /"alice"/);
    assertEquals([stage.socket.readable, stage.socket.stats().peers.length], [false, 1]);
    alice.deliver(message("the real one"));
    assertFrames(await take(stage.socket), ["alice", "the real one"]);
    await stage.socket.send(["alice", "for her"]);
    assertEquals(alice.takeOutput(), message("for her"));
  });

  it("leaves what waits for the holder, and what it sent, to the holder", async () => {
    const stage = await opened(false);
    const alice = deaf(stage, "alice");
    await stage.socket.send(["alice", "one"]);
    alice.deliver(message("unread"));
    const thief = claim(stage, "alice");
    await stage.socket.send(["alice", "two"]);
    await hears(alice, "one", "two");
    await hears(thief);
    assertFrames(await take(stage.socket), ["alice", "unread"]);
    assertEquals(stage.socket.readable, false);
  });

  it("gives the id to the next one when the holder is gone, without what was for the holder", async () => {
    const stage = await opened(false);
    const alice = deaf(stage, "alice");
    await stage.socket.send(["alice", "secret"]);
    alice.end();
    await rejection(stage.socket.send(["alice", "nobody there"]), "EHOSTUNREACH");
    const next = claim(stage, "alice");
    assertFrames(await take(stage.socket), ["alice", "I am", "alice"]);
    await stage.socket.send(["alice", "hello"]);
    await hears(next, "hello");
  });

  it("gives each peer without a name one of its own, that nobody can ask for", async () => {
    const stage = await opened(false);
    const peers = Array.from({ length: 50 }, () => stage.insider());
    for (const peer of peers) peer.deliver(message("who am I"));
    const ids = new Set<string>();
    for (let i = 0; i < peers.length; i++) {
      const [id] = await take(stage.socket);
      assertEquals([id.length, id[0]], [5, 0]);
      ids.add(toHex(id));
      const thief = stage.stranger();
      thief.deliver(concat(greeting(), ready("DEALER", id)));
      assert(isOver(thief));
    }
    assertEquals(ids.size, peers.length);
    assertEquals(stage.socket.stats().peers.length, peers.length);
  });

  it("takes ids for what they are: octets, case and all", async () => {
    const stage = await opened(false);
    const names = ["alice", "Alice", "alice ", "alice\0", "ålice", "al", pattern(255)];
    const peers = names.map((name) => stage.insider(name));
    for (const [i, peer] of peers.entries()) {
      await stage.socket.send([names[i] as string, String(i)]);
      assertEquals(peer.takeOutput(), frame(String(i)));
    }
  });
});

describe("a ROUTER with handover", () => {
  afterEach(() => cleanup.run());

  it("ends the former holder, tells why, and drops what it had not been sent", async () => {
    const stage = await opened(true);
    const alice = deaf(stage, "alice");
    for (let i = 0; i < 10; i++) await stage.socket.send(["alice", `secret ${i}`]);
    alice.deliver(message("unread"));
    const next = claim(stage, "alice");
    assert(isOver(alice));
    await stage.tells("disconnect", "EADDRINUSE", /"alice"/);
    // What the former one said before stays said.
    assertFrames(await take(stage.socket), ["alice", "unread"]);
    assertFrames(await take(stage.socket), ["alice", "I am", "alice"]);
    await stage.socket.send(["alice", "for the new one"]);
    await hears(next, "for the new one");
  });

  it("drops the message that the former holder was in the middle of", async () => {
    const stage = await opened(true);
    const alice = stage.insider("alice");
    alice.deliver(concat(frame("half", true), frame("of it", true)));
    const next = stage.insider("alice");
    alice.deliver(message("too late"));
    next.deliver(message("whole"));
    assertFrames(await take(stage.socket), ["alice", "whole"]);
    assertEquals(stage.socket.readable, false);
  });

  it("keeps one peer of a name however often it changes hands", async () => {
    const stage = await opened(true);
    const bob = stage.insider("bob");
    const all = Array.from({ length: 500 }, () => claim(stage, "alice"));
    assertEquals(all.filter((stream) => !isOver(stream)).length, 1);
    assertEquals(stage.socket.stats().peers.length, 2);
    await stage.socket.send(["alice", "the last one"]);
    await stage.socket.send(["bob", "not affected"]);
    // The end of those that were ended already takes nothing from the holder.
    for (const stream of all.slice(0, -1)) stream.end();
    await stage.socket.send(["alice", "still there"]);
    await hears(all.at(-1)!, "the last one", "still there");
    assert(!isOver(bob));
  });

  it("ends a send that waits for the former holder, or gives it to the new one", async () => {
    const stage = await opened(true);
    stage.socket.sendHighWaterMark = 1;
    const alice = deaf(stage, "alice");
    const body = pattern(300_000);
    await stage.socket.send(["alice", body]);
    await stage.socket.send(["alice", body]).catch(() => {});
    stage.socket.sendTimeout = 5_000;
    const sending = stage.socket.send(["alice", "waits"]).then(() => "sent", () => "failed");
    const next = stage.insider("alice");
    const outcome = await sending;
    assert(isOver(alice));
    if (outcome === "sent") assertEquals(next.takeOutput(), message("waits"));
  });
});
