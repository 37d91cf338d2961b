// The pairs of socket types that a proxy joins, also the less usual ones, and messages of unusual shapes.

import { assert, assertEquals } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import {
  Dealer,
  Pair,
  Proxy,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, within } from "../_util/deadline.ts";
import { assertOctets, pattern } from "../_util/octets.ts";
import { boundPair, started } from "../_util/proxies.ts";
import { numbers, subscribed, takeMany, takeTexts } from "../_util/pubsub.ts";
import { describeOver } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const cleanup = new Cleanup();

function joined<S extends Socket>(socket: S, endpoint: string): S {
  cleanup.add(socket);
  socket.connect(endpoint);
  return socket;
}

async function proxied<F extends Socket, B extends Socket>(
  transport: Transport,
  front: F,
  back: B,
): Promise<{ front: F; back: B; frontEnd: string; backEnd: string; proxy: Proxy }> {
  await boundPair(cleanup, transport, front, back);
  const { proxy } = started(cleanup, new Proxy(front, back));
  return { front, back, proxy, frontEnd: front.lastEndpoint!, backEnd: back.lastEndpoint! };
}

describeOver(TRANSPORTS, "a Proxy joins", (transport) => {
  afterEach(() => cleanup.run());

  it("SUB and PUB", async () => {
    const { front, back, frontEnd, backEnd } = await proxied(
      transport,
      new Subscriber(),
      new Publisher(),
    );
    front.subscribe("a");
    const publisher = joined(new Publisher(), frontEnd);
    const subscriber = joined(new Subscriber(RECEIVES), backEnd);
    subscriber.subscribe("");
    await subscribed(publisher, 1);
    await subscribed(back, 1);
    for (const text of ["b", "a1", "c", "a2"]) await publisher.send([text, "x"]);
    assertEquals(await takeMany(subscriber, 2), ["a1", "a2"]);
  });

  it("SUB and PUSH, and PULL and PUB", async () => {
    const first = await proxied(transport, new Subscriber(), new Push());
    first.front.subscribe();
    const publisher = joined(new Publisher(), first.frontEnd);
    const second = await proxied(transport, new Pull(), new Publisher());
    first.back.connect(second.frontEnd);
    const subscriber = joined(new Subscriber(RECEIVES), second.backEnd);
    subscriber.subscribe("a");
    await subscribed(publisher, 1);
    await subscribed(second.back, 1);
    for (const text of ["a1", "b", "a2"]) await publisher.send([text, "x"]);
    assertEquals(await takeTexts(subscriber), ["a1", "x"]);
    assertEquals(await takeTexts(subscriber), ["a2", "x"]);
  });

  it("REP and REQ", async () => {
    const { frontEnd, backEnd } = await proxied(transport, new Reply(), new Request());
    const reply = joined(new Reply(), backEnd);
    void (async () => {
      for await (const frames of reply) await reply.send([...frames, "answered"]);
    })();
    const requests = [1, 2].map(() => joined(new Request(RECEIVES), frontEnd));
    await Promise.all(requests.map(async (request, i) => {
      for (let n = 0; n < 20; n++) {
        await request.send(`${i} ${n}`);
        assertEquals(await takeTexts(request), [`${i} ${n}`, "answered"]);
      }
    }));
  });

  it("two DEALERs, and two PAIRs", async () => {
    for (const type of [Dealer, Pair]) {
      const { frontEnd, backEnd } = await proxied(transport, new type(), new type());
      const [left, right] = [frontEnd, backEnd].map((end) => joined(new type(RECEIVES), end));
      const expected = numbers(200);
      const both = [[left, right], [right, left]].map(async ([from, to]) => {
        for (const text of expected) await from.send(text);
        assertEquals(await takeMany(to, 200), expected);
      });
      await Promise.all(both);
    }
  });

  it("ROUTER and DEALER whose peers are ROUTERs and DEALERs in a chain", async () => {
    const inner = await proxied(transport, new Router(), new Dealer());
    const outer = await proxied(transport, new Router(), new Dealer());
    outer.back.connect(inner.frontEnd);
    const reply = joined(new Reply(), inner.backEnd);
    void (async () => {
      for await (const frames of reply) await reply.send(frames);
    })();
    const requests = numbers(5).map(() => joined(new Request(RECEIVES), outer.frontEnd));
    await Promise.all(requests.map(async (request, i) => {
      for (let n = 0; n < 20; n++) {
        await request.send([`${i}`, `${n}`]);
        assertEquals(await takeTexts(request), [`${i}`, `${n}`]);
      }
    }));
  });

  it("what can only receive at both ends: nothing moves, and it can be ended", async () => {
    const { proxy, frontEnd } = await proxied(transport, new Pull(), new Pull());
    const push = joined(new Push(), frontEnd);
    await push.send("nowhere to go");
    await eventually(() => proxy.frontEnd.readable);
    assertEquals(proxy.statistics.frontEnd.messagesIn, 0);
    proxy.terminate();
    assert(proxy.frontEnd.closed);
  });
});

describeOver(TRANSPORTS, "through a Proxy go", (transport) => {
  afterEach(() => cleanup.run());

  it("messages of thousands of frames", async () => {
    const { frontEnd, backEnd } = await proxied(transport, new Pull(), new Push());
    const push = joined(new Push(), frontEnd);
    const pull = joined(new Pull(RECEIVES), backEnd);
    const counts = [1, 2, 255, 5_000, 20_000, 3];
    for (const count of counts) await push.send(numbers(count));
    for (const count of counts) {
      assertEquals(await within(takeTexts(pull), 5_000, `${count} frames`), numbers(count));
    }
  });

  const sizes = [0, 1, 255, 256, 4_095, 8_192, 16_384, 32_768, 65_536, 300_000, 3_000_000];
  it(`frames of ${sizes.join(", ")} octets, alone and together`, async () => {
    const back = new XPublisher({ noDrop: true });
    const { front, frontEnd, backEnd } = await proxied(transport, new XSubscriber(), back);
    const publisher = joined(new Publisher({ noDrop: true }), frontEnd);
    const subscriber = joined(new Subscriber(RECEIVES), backEnd);
    subscriber.subscribe("n");
    await subscribed(publisher, 1);
    for (let i = 0; i < sizes.length; i++) {
      await publisher.send([`n${i}`, pattern(sizes[i], i)]);
      await publisher.send([
        `n${i}`,
        pattern(sizes[sizes.length - 1 - i], i),
        pattern(sizes[i], 2 * i),
        "",
      ]);
    }
    for (let i = 0; i < sizes.length; i++) {
      const [name, body] = await subscriber.receive();
      assertEquals(String(name), `n${i}`);
      assertOctets(body, pattern(sizes[i], i));
      const [again, first, second, end] = await subscriber.receive();
      assertEquals([String(again), end.length], [`n${i}`, 0]);
      assertOctets(first, pattern(sizes[sizes.length - 1 - i], i));
      assertOctets(second, pattern(sizes[i], 2 * i));
    }
    assertEquals([front.stats().dropped, back.stats().dropped], [0, 0]);
  });

  it("the welcome message of its back end, and that of publishers behind it", async () => {
    const back = new XPublisher({ welcomeMessage: "W back" });
    const { frontEnd, backEnd } = await proxied(transport, new XSubscriber(), back);
    const subscriber = joined(new Subscriber(RECEIVES), backEnd);
    subscriber.subscribe("W");
    assertEquals(await takeTexts(subscriber), ["W back"]);
    await subscribed(back, 1);
    joined(new XPublisher({ welcomeMessage: "W source" }), frontEnd);
    assertEquals(await takeTexts(subscriber), ["W source"]);
  });
});
