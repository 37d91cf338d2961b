// The figures of sockets that a proxy joins are those of any socket: what it passes on counts on both.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Proxy, Publisher, Pull, Push, Reply, Request, Router } from "../../mod.ts";
import { Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { started } from "../_util/proxies.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const WAITS = { sendTimeout: 5_000, receiveTimeout: 5_000 } as const;
const COUNT = 50;
const cleanup = new Cleanup();

for (const transport of TRANSPORTS) {
  describe(`the figures of the sockets of a proxy on ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("count what it passes on", async () => {
      const [front, back] = [cleanup.add(new Pull()), cleanup.add(new Push())];
      for (const socket of [front, back]) await socket.bind(anywhere(transport));
      const [push, pull] = [cleanup.add(new Push()), cleanup.add(new Pull(RECEIVES))];
      push.connect(front.lastEndpoint!);
      pull.connect(back.lastEndpoint!);
      const { proxy } = started(cleanup, new Proxy(front, back));
      for (let i = 0; i < COUNT; i++) await push.send([`message ${i}`, "tail"]);
      for (let i = 0; i < COUNT; i++) await pull.receive();
      await eventually(() => back.stats().messagesOut === COUNT);
      assertEquals([front.stats().messagesIn, front.stats().messagesOut], [COUNT, 0]);
      assertEquals([back.stats().messagesIn, back.stats().messagesOut], [0, COUNT]);
      assertEquals(front.stats().bytesIn, push.stats().bytesOut);
      assertEquals(back.stats().bytesOut, pull.stats().bytesIn);
      assertEquals(front.stats().peers[0].unread, 0);
      assertEquals(proxy.statistics.frontEnd.messagesIn, COUNT);
    });

    it("count both ways", async () => {
      const [front, back] = [cleanup.add(new Router()), cleanup.add(new Dealer())];
      for (const socket of [front, back]) await socket.bind(anywhere(transport));
      const [request, reply] = [cleanup.add(new Request(WAITS)), cleanup.add(new Reply(WAITS))];
      request.connect(front.lastEndpoint!);
      reply.connect(back.lastEndpoint!);
      started(cleanup, new Proxy(front, back));
      for (let i = 0; i < COUNT; i++) {
        await request.send(`question ${i}`);
        await reply.send(await reply.receive());
        await request.receive();
      }
      for (const socket of [front, back, request, reply]) {
        const { messagesIn, messagesOut } = socket.stats();
        assertEquals([messagesIn, messagesOut], [COUNT, COUNT]);
      }
    });

    it("count what is published, and subscriptions as far as they are messages", async () => {
      const [front, back] = [cleanup.add(new XSubscriber()), cleanup.add(new XPublisher())];
      for (const socket of [front, back]) await socket.bind(anywhere(transport));
      const [publisher, subscriber] = [
        cleanup.add(new Publisher()),
        cleanup.add(
          new Subscriber(RECEIVES),
        ),
      ];
      publisher.connect(front.lastEndpoint!);
      subscriber.connect(back.lastEndpoint!);
      subscriber.subscribe("a");
      started(cleanup, new Proxy(front, back));
      await eventually(() => publisher.topicsCount === 1);
      for (let i = 0; i < COUNT; i++) await publisher.send([i % 2 === 0 ? "a" : "b", `${i}`]);
      for (let i = 0; i < COUNT / 2; i++) await subscriber.receive();
      assertEquals(publisher.stats().messagesOut, COUNT / 2);
      assertEquals(front.stats().messagesIn, COUNT / 2);
      assertEquals(back.stats().messagesOut, COUNT / 2);
      assertEquals(subscriber.stats().messagesIn, COUNT / 2);
      assertEquals(back.stats().peers.map(({ subscriptions }) => subscriptions), [1]);
    });
  });
}
