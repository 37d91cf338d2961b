// The figures of both ends of a connection agree with each other, on every transport.

import { assertEquals, assertGreater } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Dealer,
  type PeerStats,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Subscriber,
} from "../../mod.ts";
import { ALL_TRANSPORTS, anywhere } from "../_util/anywhere.ts";
import { textOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { assertTotals, BODIES, MESSAGES, onlyPeer, WIRE } from "../_util/figures.ts";

const WAITS = { sendTimeout: 5_000, receiveTimeout: 5_000 } as const;
const RECEIVES = { receiveTimeout: 5_000 } as const;
const cleanup = new Cleanup();

for (const transport of ALL_TRANSPORTS) {
  describe(`the figures of two ends on ${transport}`, () => {
    afterEach(() => cleanup.run());

    async function joined<A extends Socket, B extends Socket>(bound: A, other: B): Promise<[A, B]> {
      await cleanup.add(bound).bind(anywhere(transport));
      cleanup.add(other).connect(bound.lastEndpoint!);
      return [bound, other];
    }

    function assertMirror(one: Socket, other: Socket): void {
      const [a, b] = [onlyPeer(one), onlyPeer(other)];
      assertEquals([a.messagesIn, a.bytesIn], [b.messagesOut, b.bytesOut]);
      assertEquals([a.messagesOut, a.bytesOut], [b.messagesIn, b.bytesIn]);
      for (const socket of [one, other]) {
        assertTotals(socket);
        assertEquals([onlyPeer(socket).connected, onlyPeer(socket).queued], [true, 0]);
      }
    }

    it("mirror each other", async () => {
      const [pull, push] = await joined(new Pull(RECEIVES), new Push());
      for (const frames of MESSAGES) await push.send([...frames]);
      for (const frames of MESSAGES) assertEquals((await pull.receive()).length, frames.length);
      await eventually(() => push.stats().messagesOut === MESSAGES.length);
      assertMirror(pull, push);
      assertEquals(pull.stats().messagesIn, MESSAGES.length);
      if (transport === "inproc") {
        assertEquals([pull.stats().bytesIn, pull.stats().bytesOut], [BODIES, 0]);
      } else {
        assertGreater(pull.stats().bytesIn, WIRE.length + 64);
      }
    });

    it("count requests and replies", async () => {
      const [reply, request] = await joined(new Reply(WAITS), new Request(WAITS));
      for (let i = 0; i < 10; i++) {
        await request.send(`question ${i}`);
        await reply.send(await reply.receive());
        await request.receive();
      }
      await eventually(() => reply.stats().messagesOut === 10);
      assertMirror(reply, request);
      assertEquals([request.stats().messagesOut, request.stats().messagesIn], [10, 10]);
    });

    it("count both ways, peer by peer", async () => {
      const [router, one] = await joined(
        new Router(WAITS),
        new Dealer({ ...WAITS, routingId: "1" }),
      );
      const other = cleanup.add(new Dealer({ ...WAITS, routingId: "2" }));
      other.connect(router.lastEndpoint!);
      for (let i = 0; i < 3; i++) await one.send("from one");
      for (let i = 0; i < 5; i++) await other.send("from the other");
      for (let i = 0; i < 8; i++) await router.receive();
      for (let i = 0; i < 4; i++) await router.send(["2", "to the other"]);
      for (let i = 0; i < 4; i++) await other.receive();
      const peers = Object.fromEntries(
        router.stats().peers.map((peer) => [textOf(peer.routingId), peer]),
      );
      const counts = ({ messagesIn, messagesOut }: PeerStats) => [messagesIn, messagesOut];
      assertEquals([counts(peers["1"]), counts(peers["2"])], [[3, 0], [5, 4]]);
      assertEquals([router.stats().messagesIn, router.stats().messagesOut], [8, 4]);
      assertTotals(router);
      assertEquals([one.stats().messagesIn, other.stats().messagesIn], [0, 4]);
    });

    it("count what a publisher sends to each subscriber, and their topics", async () => {
      const [publisher, subscriber] = await joined(new Publisher(), new Subscriber(RECEIVES));
      subscriber.subscribe("a", "b");
      const other = cleanup.add(new Subscriber(RECEIVES));
      other.subscribe("b");
      other.connect(publisher.lastEndpoint!);
      await eventually(() =>
        publisher.stats().peers.reduce((n, p) => n + p.subscriptions, 0) === 3
      );
      for (const topic of ["a", "b", "c", "a"]) await publisher.send([topic, "text"]);
      for (let i = 0; i < 3; i++) await subscriber.receive();
      await other.receive();
      await eventually(() => publisher.stats().messagesOut === 4);
      const { peers } = publisher.stats();
      assertEquals(peers.map(({ subscriptions }) => subscriptions).sort(), [1, 2]);
      for (const { subscriptions, messagesOut } of peers) {
        assertEquals(messagesOut, subscriptions === 2 ? 3 : 1);
      }
      assertEquals([subscriber.stats().messagesIn, other.stats().messagesIn], [3, 1]);
      assertEquals(publisher.stats().dropped, 0);
      assertTotals(publisher);
    });

    it("count subscriptions alike at both ends", async () => {
      const [publisher, subscriber] = await joined(new Publisher(), new Subscriber());
      for (const [i, topic] of ["a", "b", "c"].entries()) {
        subscriber.subscribe(topic);
        await eventually(() => publisher.topicsCount === i + 1);
        await eventually(() => subscriber.stats().queued === 0);
        assertEquals(publisher.stats().messagesIn, subscriber.stats().messagesOut);
        assertEquals(publisher.stats().bytesIn, subscriber.stats().bytesOut);
      }
    });

    it("count what was dropped, and keep it", async () => {
      const [publisher, subscriber] = await joined(
        new Publisher({ sendHighWaterMark: 5, linger: 0 }),
        new Subscriber({ receiveHighWaterMark: 5 }),
      );
      subscriber.subscribe("");
      await eventually(() => publisher.topicsCount === 1);
      const body = new Uint8Array(20_000);
      let sent = 0;
      for (; publisher.stats().dropped < 20; sent++) await publisher.send(body);
      const { dropped, queued, messagesOut } = onlyPeer(publisher);
      assertEquals(messagesOut + queued + dropped, sent);
      assertEquals(publisher.stats().dropped, dropped);
      await subscriber.close();
      await eventually(() => publisher.stats().peers.length === 0);
      assertEquals(publisher.stats().dropped, dropped);
    });
  });
}
