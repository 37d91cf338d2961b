// Many subscribers at one publisher, some of them stalled. The long version is tests/soak/fan_out.ts.

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Publisher, Subscriber } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { fanOut } from "../_util/fan_out.ts";
import { assertOctets, pattern } from "../_util/octets.ts";
import { subscribed, takeMany } from "../_util/pubsub.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const MB = 1_000_000;
const cleanup = new Cleanup();

describe("a hundred subscribers, three of them stalled", () => {
  afterEach(() => cleanup.run());

  it("the others get everything in order, and memory stays flat", async () => {
    const lines: string[] = [];
    const result = await fanOut({
      subscribers: 100,
      stalled: 3,
      seconds: 2,
      burst: 50,
      pauseMs: 20,
      size: 100,
      report: (line) => lines.push(line),
    });
    assertEquals(result.faults, []);
    assertEquals([result.missing, result.droppedForOthers], [0, 0]);
    assertGreater(result.sent, 100);
    assertGreater(result.droppedForStalled, 3 * (result.sent - 1));
    assertLess(result.grown, 50 * MB, lines.join("\n"));
  });
});

describe("two hundred subscribers with topics of their own", () => {
  afterEach(() => cleanup.run());

  it("get what is theirs and nothing else", async () => {
    const publisher = cleanup.add(new Publisher({ backlog: 512 }));
    await publisher.bind(ANY_PORT);
    const subscribers = Array.from({ length: 200 }, (_, i) => {
      const subscriber = cleanup.add(new Subscriber({ receiveTimeout: 10_000 }));
      subscriber.subscribe(`topic ${i}.`, `group ${i % 7}.`, "everybody");
      subscriber.connect(publisher.lastEndpoint!);
      return subscriber;
    });
    await subscribed(publisher, 600);
    assertEquals(publisher.topicsCount, 208);
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 200; i++) await publisher.send(`topic ${i}. ${round}`);
      for (let i = 0; i < 7; i++) await publisher.send(`group ${i}. ${round}`);
      await publisher.send(`everybody ${round}`);
      for (const [i, subscriber] of subscribers.entries()) {
        assertEquals(await takeMany(subscriber, 3), [
          `topic ${i}. ${round}`,
          `group ${i % 7}. ${round}`,
          `everybody ${round}`,
        ]);
      }
    }
    for (const subscriber of subscribers.splice(0, 150)) await subscriber.close();
    await subscribed(publisher, 150);
    assertEquals(publisher.topicsCount, 58);
  });
});

describe("subscribers that take more and more topics while messages arrive", () => {
  afterEach(() => cleanup.run());

  it("get every octet", async () => {
    const publisher = cleanup.add(new Publisher());
    await publisher.bind(ANY_PORT);
    const subscribers = Array.from({ length: 10 }, () => {
      const subscriber = cleanup.add(new Subscriber({ receiveTimeout: 10_000 }));
      subscriber.connect(publisher.lastEndpoint!);
      subscriber.subscribe("n");
      return subscriber;
    });
    await subscribed(publisher, 10);
    const sizes = [0, 100, 3_000, 40_000, 200_000];
    const rounds = 40;
    const reading = subscribers.map(async (subscriber, who) => {
      for (let i = 0; i < rounds * sizes.length; i++) {
        const [number, body] = await subscriber.receive();
        assertEquals(String(number), `n${i}`);
        assertOctets(body, pattern(sizes[i % sizes.length], i), `subscriber ${who}, message ${i}`);
      }
    });
    const all = Promise.all(reading);
    all.catch(() => {}); // thrown below
    const topics: string[][] = [];
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < sizes.length; i++) {
        const number = round * sizes.length + i;
        await publisher.send([`n${number}`, pattern(sizes[i], number)]);
      }
      topics.push(Array.from({ length: 500 }, (_, i) => `round ${round}, a longer topic ${i}`));
      for (const subscriber of subscribers) subscriber.subscribe(...topics[round]);
      if (round >= 30) {
        for (const subscriber of subscribers) subscriber.unsubscribe(...topics[round - 30]);
      }
    }
    await all;
    await subscribed(publisher, 10 * (1 + 30 * 500));
    assertEquals(publisher.topicsCount, 1 + 30 * 500);
  });
});
