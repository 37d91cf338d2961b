// Peers whose connection breaks, in every state and at every octet: their end is told once, nothing of theirs is kept or
// delivered in part, and the socket goes on.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, type Socket, XPublisher } from "../../mod.ts";
import { assertFrames, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { commandFrame, curveGreeting } from "../_util/curve_commands.ts";
import { CurveClient } from "../_util/curve_oracle.ts";
import { KEYS } from "../_util/curve_vectors.ts";
import { eventually } from "../_util/deadline.ts";
import { CurveHost, HostileDoor, SilentHost } from "../_util/hostile_door.ts";
import { HostileStage, take } from "../_util/hostile_stage.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { assertMessages, concat, pattern } from "../_util/octets.ts";
import { cancelCommand, subscribeCommand } from "../_util/raw_subscriptions.ts";
import { command, frame, greeting, message, ping, ready } from "../_util/raw_zmtp.ts";
import { systemError } from "../_util/scripted_runtime.ts";

const reset = (): Error => systemError("ECONNRESET");
const cleanup = new Cleanup();

/** The two parts of a conversation, and how many messages are whole after so many octets of the second. */
const WHOLE = [["one"], ["two", "parts"], ["x".repeat(300)]];
const TRAFFIC = concat(
  message("one"),
  ping("a"),
  message("two", "parts"),
  command("ANY", utf8("thing")),
  message("x".repeat(300)),
  frame("half", true),
);

function wholeAfter(octets: number): number {
  const ends = [message("one").length];
  ends.push(ends[0] + ping("a").length + message("two", "parts").length);
  ends.push(ends[1] + command("ANY", utf8("thing")).length + message("x".repeat(300)).length);
  return ends.filter((end) => end <= octets).length;
}

describe("a peer that is reset", () => {
  it("at any octet of its handshake leaves nothing, and is told once", async () => {
    const door = await new HostileDoor().listen();
    const whole = concat(greeting(), ready("DEALER", "name"));
    for (let size = 0; size < whole.length; size++) {
      door.events.length = 0;
      door.knock("10.0.0.1", whole.subarray(0, size)).end(reset());
      assertEquals(
        door.events.map(({ type }) => type),
        ["accept", "handshake:error:other", "disconnect"],
        `after ${size} octets`,
      );
      assertEquals(door.told("handshake:error:other")[0].error!.code, "ECONNRESET");
    }
    assertEquals([door.host.attached.size, door.host.calls, door.host.clock.delays], [0, [], []]);
    assertEquals(door.host.census.pipes.size, 0);
  });

  it("at any octet of its traffic has its whole messages delivered, and no more", async () => {
    const door = await new HostileDoor().listen();
    for (let size = 0; size <= TRAFFIC.length; size++) {
      const peer = door.guest();
      const [pipe] = door.host.attached;
      peer.deliver(TRAFFIC.subarray(0, size));
      peer.end(reset());
      const received: Uint8Array[][] = [];
      for (let frames = pipe.receive(); frames; frames = pipe.receive()) received.push(frames);
      assertMessages(received, WHOLE.slice(0, wholeAfter(size)).map((texts) => texts.map(utf8)));
      assertEquals([door.host.attached.size, door.host.census.pipes.size], [0, 0]);
    }
    assertEquals(door.told("disconnect").length, TRAFFIC.length + 1);
    assertEquals([door.host.clock.delays, door.host.holds], [[], 0]);
  });

  it("after any number of octets that were written to it leaves nothing held", async () => {
    const door = await new HostileDoor().listen();
    for (let room = 0; room < 400; room += 7) {
      const peer = door.listener.accept({ room });
      peer.deliver(concat(greeting(), ready("DEALER")));
      const [pipe] = door.host.attached;
      for (let i = 0; i < 10; i++) pipe?.send([pattern(10), pattern(20)]);
      peer.end(reset());
      assertEquals([door.host.attached.size, door.host.holds], [0, 0], `room for ${room}`);
    }
    assertEquals(door.host.census.pipes.size, 0);
  });

  it("between HELLO and WELCOME, or at any step after it, leaves nothing", async () => {
    const door = await new HostileDoor({}, "PULL", new CurveHost({})).listen();
    for (let turns = 0; turns < 12; turns++) {
      const client = new CurveClient({ serverKey: KEYS.server });
      const hello = concat(curveGreeting(), commandFrame(client.hello()));
      const peer = door.knock("10.0.0.1", hello);
      for (let i = 0; i < turns; i++) await undefined;
      peer.end(reset());
    }
    // Key agreement goes on in the platform for a while, for nobody.
    await eventually(() => door.told("disconnect").length === 12);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals([door.host.attached.size, door.host.clock.delays], [0, []]);
    assertEquals(door.told("handshake:error:other").length, 12);
  });

  it("while the ZAP handler thinks has its question taken back", async () => {
    const host = new SilentHost({});
    const door = await new HostileDoor({}, "PULL", host).listen();
    for (let i = 0; i < 50; i++) {
      const peer = door.guest();
      if (i % 2 === 0) await microtasks();
      peer.end(reset());
    }
    assertEquals([host.asked, host.cancelled], [50, 50]);
    assertEquals([door.host.attached.size, door.host.clock.delays], [0, []]);
  });
});

describe("a socket whose peers are reset", () => {
  afterEach(() => cleanup.run());

  async function servedAfter<S extends Socket & Pull>(stage: HostileStage<S>): Promise<void> {
    const healthy = stage.insider();
    healthy.deliver(message("healthy"));
    assertFrames(await take(stage.socket), ["healthy"]);
  }

  it("while it is paused delivers what had come, and takes others", async () => {
    const stage = await HostileStage.open(
      cleanup,
      "PUSH",
      (context) => new Pull({ context, receiveHighWaterMark: 2 }),
    );
    const peer = stage.insider();
    for (let i = 0; i < 5; i++) peer.deliver(message(String(i)));
    assert(peer.paused);
    peer.end(reset());
    for (let i = 0; i < 5; i++) assertFrames(await take(stage.socket), [String(i)]);
    await servedAfter(stage);
    await stage.tells("disconnect", "ECONNRESET");
  });

  it("while they are told why they are refused goes on", async () => {
    const stage = await HostileStage.open(cleanup, "PUSH", (context) => new Pull({ context }));
    for (let room = 0; room < 200; room += 9) {
      const peer = stage.stranger({ room });
      peer.deliver(concat(greeting(), ready("SUB")));
      peer.end(reset());
    }
    assertEquals(stage.socket.stats().peers.length, 0);
    await servedAfter(stage);
  });

  it("in the middle of their topics forgets all of these", async () => {
    const stage = await HostileStage.open(cleanup, "SUB", (context) => new XPublisher({ context }));
    const requests = concat(
      subscribeCommand("first"),
      subscribeCommand("x".repeat(300)),
      cancelCommand("first"),
      message("\x01third"),
      frame("\x01fourth", true),
    );
    for (let size = 0; size <= requests.length; size++) {
      const peer = stage.insider();
      peer.deliver(requests.subarray(0, size));
      peer.end(reset());
      assertEquals(stage.socket.topicsCount, 0, `after ${size} octets`);
    }
    while (stage.socket.readable) await take(stage.socket);
    const healthy = stage.insider();
    healthy.deliver(subscribeCommand("fifth"));
    assertFrames(await take(stage.socket), ["\x01fifth"]);
  });
});
