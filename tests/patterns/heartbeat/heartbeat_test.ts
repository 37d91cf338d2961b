// Ping-pong heartbeats for ROUTER and DEALER.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Router } from "../../../mod.ts";
import {
  DealerHeartbeat,
  type PingPongOptions,
  RouterHeartbeat,
  type RouterHeartbeatOptions,
} from "../../../src/patterns/heartbeat/mod.ts";
import { assertFrames, textsOf, toHex } from "../../_util/bytes.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";
import { failure, rejection } from "../../_util/rejection.ts";

const WAIT_MS = 20_000;
/** Quick to send, slow to give up: this machine may be busy. */
const BEATS = { heartbeatInterval: 50, heartbeatLiveness: 16 } as const;
const PING = "0070696e67";
const PONG = "00706f6e67";

describe("ping-pong heartbeats", () => {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(part: T): T => {
    opened.push(part);
    return part;
  };
  afterEach(async () => {
    const all = opened.splice(0).reverse();
    await within(Promise.all(all.map((part) => part.close())), WAIT_MS, "all is closed");
  });

  async function serve(options: RouterHeartbeatOptions = BEATS): Promise<RouterHeartbeat> {
    const router = new Router({ linger: 0 });
    const server = keep(new RouterHeartbeat(router, options));
    await router.bind(ANY_PORT);
    return server;
  }

  function join(
    server: RouterHeartbeat,
    routingId?: string,
    options: PingPongOptions = BEATS,
  ): DealerHeartbeat {
    const dealer = new Dealer({ linger: 0, ...(routingId !== undefined && { routingId }) });
    dealer.connect(server.socket.lastEndpoint!);
    return keep(new DealerHeartbeat(dealer, options));
  }

  function plainDealer(server: RouterHeartbeat): Dealer {
    const dealer = keep(new Dealer({ linger: 0, routingId: "Raw", receiveTimeout: WAIT_MS }));
    dealer.connect(server.socket.lastEndpoint!);
    return dealer;
  }

  it("pass what the application says, and nothing else", async () => {
    const server = await serve();
    const client = join(server, "Ada");
    const seen: string[][] = [];
    const reading = (async () => {
      for await (const frames of server) {
        seen.push(textsOf(frames));
        await server.send([frames[0], "re:", ...frames.slice(1)]);
      }
    })();
    await client.send("one");
    await client.send(["two", "\0ping"]);
    assert(client.trySend([""]));
    assertFrames(await client.receive(), ["re:", "one"]);
    assertFrames(await client.receive(), ["re:", "two", "\0ping"]);
    assertFrames(await client.receive(), ["re:", ""]);
    await eventually(() => server.stats().pingsIn + server.stats().pongsIn >= 4, WAIT_MS);
    assertEquals(client.tryReceive(), undefined);
    assertEquals(seen, [["Ada", "one"], ["Ada", "two", "\0ping"], ["Ada", ""]]);
    assertEquals([client.stats().messagesIn, client.stats().messagesOut], [3, 3]);
    assertEquals([server.stats().messagesIn, server.stats().messagesOut], [3, 3]);
    assertEquals([client.stats().lost, server.stats().lost], [0, 0]);
    assert(client.alive && server.isAlive("Ada"));
    assert(client.roundTrip! >= 0);
    await server.close();
    await reading;
    await rejection(server.receive(), "EBADF");
  });

  it("refuse what would be taken for one of them", async () => {
    const server = await serve();
    const client = join(server);
    failure(() => client.trySend("\0ping"), "EINVAL");
    await rejection(client.send([new TextEncoder().encode("\0pong")]), "EINVAL");
    failure(() => server.trySend(["x", "\0pong"]), "EINVAL");
    await rejection(server.send(["x", "\0ping"]), "EINVAL");
    failure(() => new DealerHeartbeat(keep(new Dealer()), { heartbeatInterval: 0 }), "EINVAL");
    failure(() => new DealerHeartbeat(keep(new Dealer()), { maxQueue: 0 }), "EINVAL");
    failure(() => new RouterHeartbeat(keep(new Router()), { maxPeers: 0 }), "EINVAL");
  });

  it("tell of a silent peer, and of its return", async () => {
    const server = await serve();
    const dealer = plainDealer(server);
    const told: string[] = [];
    server.events.on("found", ({ id }) => told.push(`found ${id}`));
    server.events.on("lost", ({ id, silence }) => told.push(`lost ${id} ${silence >= 800}`));
    await dealer.send("hello");
    await eventually(() => told.length === 2, WAIT_MS);
    assertEquals(server.peers(), []);
    assert(!server.isAlive("Raw"));
    await dealer.send("again");
    await eventually(() => told.length === 3, WAIT_MS);
    assertEquals(told, ["found Raw", "lost Raw true", "found Raw"]);
    const [{ id, messagesIn, messagesOut }] = server.peers();
    assertEquals([String(id), messagesIn, messagesOut], ["Raw", 1, 0]);
    // It was asked for a sign of life meanwhile, and not again once it was given up.
    assertEquals((await dealer.receive()).map(toHex), [PING]);
    const { pingsOut } = server.stats();
    assertGreater(pingsOut, 4);
    assertLess(pingsOut, 40);
  });

  it("tell the client as well, and that the server has come back", async () => {
    const first = await serve();
    const endpoint = first.socket.lastEndpoint!;
    const client = join(first);
    const told: string[] = [];
    client.events.on("found", () => told.push("found"));
    client.events.on("lost", () => told.push("lost"));
    await eventually(() => client.alive, WAIT_MS);
    await first.close();
    await eventually(() => !client.alive, WAIT_MS);
    assertGreater(client.silence, 700);
    await pause(300); // nothing is sent to nobody
    const before = client.stats().pingsOut;
    const router = keep(new Router({ linger: 0, receiveTimeout: WAIT_MS }));
    await router.bind(endpoint);
    const [id, ping] = await router.receive();
    assertEquals(toHex(ping), PING);
    await router.send([id, "back"]);
    await eventually(() => client.alive, WAIT_MS);
    assertLess(client.stats().pingsOut - before, 10);
    assertEquals(told, ["found", "lost", "found"]);
    assertFrames(await client.receive(), ["back"]);
  });

  it("are answered, to the octet; and any traffic counts", async () => {
    const server = await serve();
    const dealer = plainDealer(server);
    await dealer.send("\0ping");
    assertEquals((await dealer.receive()).map(toHex), [PONG]);
    // It never answers a ping, but it speaks.
    const lost: unknown[] = [];
    server.events.on("lost", () => lost.push(1));
    const end = performance.now() + 1500;
    while (performance.now() < end) {
      await dealer.send("talk");
      await pause(20);
    }
    assertEquals(lost, []);
    assertEquals([server.stats().pingsIn, server.stats().pongsIn], [1, 0]);
    await dealer.send("\0pong");
    await eventually(() => server.stats().pongsIn === 1);
    assert(server.peers()[0].roundTrip! > 0);
  });

  it("are sent by the client as soon as it is connected, and go on while it is silent", async () => {
    const router = keep(new Router({ linger: 0, receiveTimeout: WAIT_MS }));
    await router.bind(ANY_PORT);
    const dealer = new Dealer({ linger: 0 });
    const client = keep(new DealerHeartbeat(dealer, { ...BEATS, heartbeatLiveness: 1000 }));
    dealer.connect(router.lastEndpoint!);
    for (let i = 0; i < 3; i++) {
      const [id, ping] = await router.receive();
      assertEquals(toHex(ping), PING);
      await router.send([id, "\0pong"]);
      await eventually(() => client.stats().pongsIn === i + 1);
    }
    assertEquals(client.stats().messagesIn, 0);
  });

  it("are not sent while there is other traffic", async () => {
    const server = await serve({ heartbeatInterval: 300, heartbeatLiveness: 100 });
    const dealer = plainDealer(server);
    await dealer.send("hello");
    await server.receive();
    const before = server.stats().pingsOut;
    const end = performance.now() + 1000;
    while (performance.now() < end) {
      await server.send(["Raw", "talk"]);
      await pause(5);
    }
    assertEquals(server.stats().pingsOut, before);
    await eventually(() => server.stats().pingsOut > before, WAIT_MS);
  });

  it("give nobody up whom this side does not read", async () => {
    const server = await serve({ ...BEATS, maxQueue: 2 });
    const client = join(server, "Ada");
    for (let i = 0; i < 10; i++) await client.send(`${i}`);
    await eventually(() => server.stats().queued === 2);
    await pause(1200);
    assertEquals([server.stats().lost, server.stats().queued], [0, 2]);
    // The other side gets the pings that are due, and keeps its patience, too.
    assertEquals(client.stats().lost, 0);
    for (let i = 0; i < 10; i++) assertFrames(await server.receive(), ["Ada", `${i}`]);
  });

  it("watch so many peers, and serve the others all the same", async () => {
    const server = await serve({ ...BEATS, maxPeers: 1 });
    join(server, "Ada");
    await eventually(() => server.isAlive("Ada"), WAIT_MS);
    const dealer = plainDealer(server);
    await dealer.send("hello");
    await dealer.send("\0ping");
    assertFrames(await server.receive(), ["Raw", "hello"]);
    assertEquals((await dealer.receive()).map(toHex), [PONG]);
    assertEquals([server.stats().peers, server.stats().unwatched], [1, 2]);
    await server.send(["Raw", "served"]);
    assertFrames(await dealer.receive(), ["served"]);
  });

  it("do not keep a socket open for a peer that is gone", async () => {
    const server = await serve();
    const dealer = new Dealer(); // it lingers for ever
    dealer.connect(server.socket.lastEndpoint!);
    const client = keep(new DealerHeartbeat(dealer, BEATS));
    await eventually(() => client.alive, WAIT_MS);
    await server.close();
    await eventually(() => !client.alive, WAIT_MS);
    await within(client.close(), WAIT_MS, "it is closed");
  });

  it("end with the socket, with the signal, and with their own close", async () => {
    const server = await serve();
    const aborting = new AbortController();
    const client = join(server, "Ada", { ...BEATS, signal: aborting.signal });
    const waiting = rejection(client.receive(), "EBADF");
    aborting.abort();
    await waiting;
    assert(client.closed && client.socket.closed);
    await rejection(client.send("x"), "EBADF");
    await server.socket.close();
    await eventually(() => server.closed);
    const cancelled = join(await serve());
    const stop = new AbortController();
    const receiving = cancelled.receive({ signal: stop.signal });
    stop.abort(Object.assign(new Error("enough"), { code: "ENOUGH" }));
    await rejection(receiving, "ENOUGH");
  });
});
