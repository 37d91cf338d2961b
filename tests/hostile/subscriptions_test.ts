// Subscription bombs: what one subscriber may have is limited, what all of them have together by the core's memory, which comes
// back when they go; and whoever asks for nothing of that kind does not notice.

import { assert, assertEquals, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Publisher, XPublisher } from "../../mod.ts";
import type { Core } from "../../src/core/instance.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import type { FakeStream } from "../_util/fake_stream.ts";
import { allowMore, sizeOf, withCore } from "../_util/hostile_core.ts";
import { HostileStage, isOver, take } from "../_util/hostile_stage.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import {
  cancelCommand,
  cancelMessage,
  subscribeCommand,
  subscribeMessage,
} from "../_util/raw_subscriptions.ts";
import { message } from "../_util/raw_zmtp.ts";

const MB = 1_000_000;
const cleanup = new Cleanup();

type Options = NonNullable<ConstructorParameters<typeof Publisher>[0]>;

function opened(options: Options = {}): Promise<HostileStage<Publisher>> {
  return HostileStage.open(cleanup, "SUB", (context) => new Publisher({ context, ...options }));
}

/** Subscribes to topics of a size by the thousand, until the peer is ended or has that many. */
function bomb(peer: FakeStream, count: number, size: number, name: string): void {
  for (let from = 0; from < count && !isOver(peer); from += 1_000) {
    const topics = Array.from(
      { length: Math.min(1_000, count - from) },
      (_, i) => subscribeCommand(`${name} ${from + i} `.padEnd(size, `${i}${name}`)),
    );
    peer.deliver(concat(...topics));
  }
}

/** The healthy subscriber gets what is published. */
async function served(stage: HostileStage<Publisher>, healthy: FakeStream): Promise<void> {
  await stage.socket.send(["healthy", pattern(1_000)]);
  await eventually(() => healthy.writes.length > 0);
  assertOctets(healthy.takeOutput(), message("healthy", pattern(1_000)));
  healthy.writes.length = 0;
  assert(!isOver(healthy));
}

function joined(stage: HostileStage<Publisher>): FakeStream {
  const healthy = stage.insider();
  healthy.writes.length = 0;
  healthy.deliver(subscribeCommand("healthy"));
  return healthy;
}

describe("maxSubscriptions and maxTopicLength", () => {
  afterEach(() => cleanup.run());

  const FORMS = { commands: subscribeCommand, messages: subscribeMessage } as const;
  for (const [form, subscribe] of Object.entries(FORMS)) {
    it(`hold for ${form}: just at the limits is fine, one more of either is not`, async () => {
      for (const cut of [Infinity, 1]) {
        const stage = await opened({ maxSubscriptions: 10, maxTopicLength: 300 });
        const healthy = joined(stage);
        const [many, long] = [stage.insider(), stage.insider()];
        for (let i = 0; i < 10; i++) many.deliver(subscribe(`${i}`.padEnd(300, "x")), cut);
        assert(!isOver(many));
        assertEquals(stage.socket.topicsCount, 11);
        many.deliver(subscribe("one more"), cut);
        assert(isOver(many));
        await stage.tells("disconnect", "ENOBUFS", /\b10\b.*maxSubscriptions/s);
        long.deliver(subscribe("y".repeat(301)), cut);
        assert(isOver(long));
        await stage.tells("disconnect", "EMSGSIZE", /\b301\b.*\b300\b.*maxTopicLength/s);
        assertEquals(stage.socket.topicsCount, 1);
        await served(stage, healthy);
        await cleanup.run();
      }
    });
  }

  it("count topics, not requests: what was taken back makes room", async () => {
    const stage = await opened({ maxSubscriptions: 3 });
    const peer = stage.insider();
    for (let i = 0; i < 1_000; i++) {
      peer.deliver(concat(subscribeCommand(`${i}`), subscribeMessage(`${i}`)));
      if (i >= 2) peer.deliver(i % 2 === 0 ? cancelCommand(`${i - 2}`) : cancelMessage(`${i - 2}`));
    }
    assert(!isOver(peer));
    assertEquals(stage.socket.topicsCount, 2);
  });

  it("hold for each subscriber by itself, and for what is only asked for in manual mode", async () => {
    const stage = await HostileStage.open(
      cleanup,
      "SUB",
      (context) => new XPublisher({ context, manual: true, maxSubscriptions: 2 }),
    );
    const [one, other] = [stage.insider(), stage.insider()];
    for (const peer of [one, other]) {
      peer.deliver(concat(subscribeCommand("a"), subscribeCommand("b")));
    }
    assertEquals([isOver(one), isOver(other)], [false, false]);
    one.deliver(subscribeCommand("c"));
    assertEquals([isOver(one), isOver(other)], [true, false]);
    const asked: string[] = [];
    while (stage.socket.readable) asked.push(String((await take(stage.socket))[0]));
    assertEquals(asked.filter((text) => text === "\x01c"), []);
  });
});

describe("many subscribers with as many topics as they may have", () => {
  afterEach(() => cleanup.run());

  it("take memory in proportion, which serves the next ones when they go", async () => {
    const [stage, core] = await withCore(() => opened({ maxSubscriptions: 1_000 }));
    const healthy = joined(stage);
    const wave = async (name: string): Promise<void> => {
      const peers = Array.from({ length: 10 }, () => stage.insider());
      for (const [i, peer] of peers.entries()) bomb(peer, 1_000, 64, `${name} ${i}`);
      assertEquals(stage.socket.topicsCount, 10_001);
      await served(stage, healthy);
      for (const peer of peers) peer.end();
      assertEquals(stage.socket.topicsCount, 1);
    };
    await wave("first");
    const size = sizeOf(core);
    assertLess(size, 10_000 * 500);
    for (const name of ["second", "third"]) await wave(name);
    assertLess(sizeOf(core) - size, 1 * MB);
  });

  const exhaust = (stage: HostileStage<Publisher>, core: Core): FakeStream[] => {
    allowMore(core, 3 * MB);
    const peers = Array.from({ length: 8 }, () => stage.insider());
    for (const [i, peer] of peers.entries()) bomb(peer, 2_000, 1_000, `${i}`);
    return peers;
  };

  it("are ended where the memory is, and the others go on being served", async () => {
    const [stage, core] = await withCore(() => opened());
    const healthy = joined(stage);
    const peers = exhaust(stage, core);
    assert(peers.some(isOver), "there was not enough for all of them");
    await stage.tells("disconnect", "ENOBUFS");
    for (let i = 0; i < 10; i++) await served(stage, healthy);
    const late = joined(stage);
    await served(stage, late);
    for (const peer of peers) peer.end();
    assertEquals(stage.socket.topicsCount, 1);
  });
});
