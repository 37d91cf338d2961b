// A socket that is connected to itself: types that may talk to their own kind talk to themselves, all others are told that
// they do not fit; nothing hangs, and nothing is left when it is closed.

import { assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import {
  Dealer,
  Pair,
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
import { ProtocolError } from "../../src/errors.ts";
import { anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames, textsOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, within } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { describeOver } from "../_util/transports.ts";

const WAITS = {
  reconnectInterval: 5,
  receiveTimeout: 5_000,
  sendTimeout: 5_000,
  linger: 50,
} as const;
const QUICK = { reconnectInterval: 5 } as const;
const cleanup = new Cleanup();

/** Types that must not be joined with their own kind. */
const MISFITS: Readonly<Record<string, () => Socket>> = {
  PUSH: () => new Push(QUICK),
  PULL: () => new Pull(QUICK),
  PUB: () => new Publisher(QUICK),
  SUB: () => new Subscriber(QUICK),
  XPUB: () => new XPublisher(QUICK),
  XSUB: () => new XSubscriber(QUICK),
  REQ: () => new Request(QUICK),
  REP: () => new Reply(QUICK),
};

describeOver(TRANSPORTS, "a socket connected to itself", (transport) => {
  afterEach(() => cleanup.run());

  async function joined<S extends Socket>(socket: S): Promise<[S, EventLog]> {
    cleanup.add(socket);
    const log = new EventLog(socket);
    await socket.bind(anywhere(transport));
    socket.connect(socket.lastEndpoint!);
    return [socket, log];
  }

  for (const [name, open] of Object.entries(MISFITS)) {
    it(`that is a ${name} is told on both ends that it does not fit, once`, async () => {
      const [socket, log] = await joined(open());
      await eventually(() => log.of("handshake:error:protocol").length === 2);
      for (const { error } of log.of("handshake:error:protocol")) {
        assertInstanceOf(error, ProtocolError);
      }
      assertEquals([log.of("handshake").length, log.of("connect:retry").length], [0, 0]);
      await within(socket.close(), 5_000, "close");
      await log.over;
    });
  }

  it("that is a DEALER hears what it says, in order, and can be closed in the middle", async () => {
    const [dealer, log] = await joined(new Dealer(WAITS));
    await eventually(() => log.of("handshake").length === 2);
    for (let i = 0; i < 100; i++) await dealer.send(String(i));
    const heard: number[] = [];
    for (let i = 0; i < 100; i++) heard.push(Number(String((await dealer.receive())[0])));
    // By two ways, each of which keeps its order.
    const ways = [0, 1].map((way) => heard.filter((number) => number % 2 === way));
    for (const way of ways) assertEquals(way, [...way].sort((a, b) => a - b));
    assertEquals(new Set(heard).size, 100);
    for (let i = 0; i < 50; i++) void dealer.send("unread").catch(() => {});
    await within(dealer.close(), 5_000, "close");
  });

  it("that is a ROUTER speaks to both of its ends, or only to one of them by a name", async () => {
    const [router, log] = await joined(new Router({ ...WAITS, mandatory: true }));
    await eventually(() => log.of("handshake").length === 2);
    const ids = log.of("handshake").map(({ routingId }) => routingId as Uint8Array<ArrayBuffer>);
    for (const id of ids) await router.send([id, "hello"]);
    for (let i = 0; i < 2; i++) assertEquals(textsOf(await router.receive())[1], "hello");
    await within(router.close(), 5_000, "close");
  });

  it("that is a ROUTER with a name of its own does not hang", async () => {
    const router = new Router({ ...WAITS, routingId: "myself" });
    const [, log] = await joined(router);
    // Both ends are called the same, and that is once too often.
    await eventually(() => log.of("handshake:error:other").length > 0);
    await within(router.close(), 5_000, "close");
    await log.over;
  });

  it("that is a PAIR has itself to itself, or nobody, and does not hang", async () => {
    const [pair, log] = await joined(new Pair({ ...WAITS, sendTimeout: 100, linger: 50 }));
    await eventually(() => log.types.some((type) => /^handshake/.test(type)));
    const sent = await pair.send("hello").then(() => true, () => false);
    if (sent && pair.readable) assertFrames(await pair.receive(), ["hello"]);
    await within(pair.close(), 5_000, "close");
    await log.over;
  });

  it("again and again is closed with all of that", async () => {
    const [dealer, log] = await joined(new Dealer(WAITS));
    for (let i = 0; i < 20; i++) dealer.connect(dealer.lastEndpoint!);
    // Only inproc connects more than once to the same endpoint.
    const ends = transport === "inproc" ? 42 : 2;
    await eventually(() => log.of("handshake").length === ends);
    assertEquals(dealer.stats().peers.length, ends);
    await dealer.send("somewhere");
    assertFrames(await dealer.receive(), ["somewhere"]);
    await within(dealer.close(), 5_000, "close");
    await log.over;
    assertEquals(log.of("disconnect").length, ends);
  });
});
