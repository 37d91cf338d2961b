// Clone as its users see it: a map that is the same at the server and at all clients.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { BinaryStar } from "../../../src/patterns/binary_star/mod.ts";
import {
  CloneClient,
  type CloneClientOptions,
  CloneServer,
  type CloneServerOptions,
} from "../../../src/patterns/clone/mod.ts";
import { Subscriber } from "../../../mod.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { assertSays, failure, rejection } from "../../_util/rejection.ts";
import {
  BEATS,
  equal,
  keyValue,
  nextUpdate,
  PATIENCE,
  snapshotOf,
  Stage,
  textOf,
  uuidOf,
  WAIT_MS,
} from "./stage.ts";

const NOWHERE = {
  snapshots: "inproc://nowhere.1",
  updates: "inproc://nowhere.2",
  collector: "inproc://nowhere.3",
};

describe("Clone", () => {
  const stage = new Stage();
  afterEach(() => stage.close());

  it("refuses options, keys, values and addresses that cannot be right", async () => {
    const clients: unknown[] = [
      {},
      { servers: [] },
      { servers: ["tcp://127.0.0.1"] },
      { servers: ["tcp://127.0.0.1:65534"] },
      { servers: ["inproc://x"] },
      { servers: [{ snapshots: "tcp://127.0.0.1:1" }] },
      { servers: [NOWHERE], subtree: "/a" },
      { servers: [NOWHERE], subtree: "a/" },
      { servers: [NOWHERE], maxKeys: 0 },
      { servers: [NOWHERE], maxPending: 1.5 },
      { servers: [NOWHERE], heartbeatInterval: -1 },
    ];
    for (const options of clients) {
      failure(() => new CloneClient(options as CloneClientOptions), "EINVAL");
    }
    const servers: unknown[] = [{ maxSnapshots: 0 }, { maxKeyLength: 0 }, { maxValueSize: "1" }];
    for (const options of servers) {
      failure(() => new CloneServer(options as CloneServerOptions), "EINVAL");
    }
    const limits = { maxKeyLength: 10, maxValueSize: 10 };
    const client = stage.client([NOWHERE], { subtree: "/a/", ...limits });
    for (const key of ["", "/b/1", "/a", "/a/" + "x".repeat(8)]) {
      assertSays(failure(() => client.set(key, "v"), "EINVAL"), key.slice(0, 5));
    }
    failure(() => client.set("/a/1", "v", { ttl: 0 }), "EINVAL");
    failure(() => client.set("/a/1", "v", { ttl: 1.5 }), "EINVAL");
    for (const properties of [{ "a=": "" }, { "": "x" }, { a: "b\n" }, { a: "x".repeat(5000) }]) {
      failure(() => client.set("/a/1", "v", { properties }), "EINVAL");
    }
    failure(() => client.set("/a/1", {} as string), "EINVAL");
    assertSays(failure(() => client.set("/a/1", "x".repeat(11)), "EMSGSIZE"), "11", "10");
    const server = stage.keep(new CloneServer({ ...limits, maxKeys: 1 }));
    for (const key of ["HUGZ", "KTHXBAI"]) failure(() => server.set(key, "v"), "EINVAL");
    server.set("a", "1");
    server.set("a", "2");
    assertSays(failure(() => server.set("b", "1"), "ENOBUFS"), "maxKeys");
    await rejectsAddress(server);
  });

  it("has what the server had before, and what everybody sets and deletes", async () => {
    const server = await stage.server();
    server.set("early", "1");
    const ada = await stage.readyClient([server]);
    const ben = await stage.readyClient([server]);
    const told: string[] = [];
    ben.events
      .on("update", ({ key, value, properties }) => told.push(`${key}=${value} ${properties.by}`))
      .on("delete", ({ key }) => told.push(`no ${key}`));
    await ada.set("k", "v", { properties: { by: "Ada" } });
    assertEquals([String(ada.get("k")), ada.has("k"), ada.size], ["v", true, 2]);
    await ada.delete("early");
    await ben.set("octets", Uint8Array.of(0, 255));
    server.set("late", "2", { properties: { by: "server" } });
    await equal(server, ada, ben);
    assertEquals(ada.get("octets"), ben.get("octets"));
    assertEquals(told, ["k=v Ada", "no early", "octets=\0\ufffd undefined", "late=2 server"]);
    assertEquals(ben.properties("k"), { by: "Ada" });
    assertEquals([ada.get("early"), ada.properties("early"), ada.has("early")], [
      undefined,
      undefined,
      false,
    ]);
  });

  it("gives a client of a subtree its part alone", async () => {
    const server = await stage.server();
    for (const key of ["/a/1", "/b/1", "/a", "HUGZ!"]) server.set(key, "before");
    const part = await stage.readyClient([server], { subtree: "/a/" });
    const whole = await stage.readyClient([server]);
    await whole.set("/a/2", "after");
    await whole.set("/b/2", "after");
    await whole.set("HUGZ?", "after");
    await part.set("/a/3", "own");
    assertEquals(textOf(part), [["/a/1", "before"], ["/a/2", "after"], ["/a/3", "own"]]);
    await eventually(() => whole.size === 8, WAIT_MS);
    await equal(whole, server);
    assertEquals(part.stats().malformed, 0);
  });

  it("lets a client's value expire everywhere", async () => {
    const server = await stage.server();
    const ada = await stage.readyClient([server]);
    const part = await stage.readyClient([server], { subtree: "/presence/" });
    await ada.set("/presence/ada", "here", { ttl: 1 });
    await ada.close();
    const start = performance.now();
    await eventually(() => part.has("/presence/ada"), WAIT_MS);
    await eventually(() => !part.has("/presence/ada"), WAIT_MS);
    assert(performance.now() - start > 500);
    assertEquals(server.size, 0);
  });

  it("begins anew with a server that was restarted empty", async () => {
    const first = await stage.server();
    const client = await stage.readyClient([first]);
    const other = await stage.readyClient([first]);
    for (let i = 0; i < 20; i++) await client.set(`old ${i % 5}`, String(i));
    const told: string[] = [];
    client.events.on("delete", ({ key }) => told.push(key));
    const { endpoints } = first;
    await first.close();
    const again = stage.keep(new CloneServer(BEATS));
    again.set("new", "1");
    await again.bind(endpoints!);
    await equal(again, client, other);
    assertEquals([client.size, told.length], [1, 5]);
    await client.set("newer", "2");
    await equal(again, client, other);
    assertEquals(client.stats().snapshots, 2);
  });

  it("sets again what was on the way when the server died", async () => {
    const first = await stage.server();
    const client = await stage.readyClient([first]);
    const { endpoints } = first;
    await first.close();
    const sets = [client.set("a", "1"), client.set("a", "2"), client.set("b", "1")];
    const again = stage.keep(new CloneServer(BEATS));
    await again.bind(endpoints!);
    await within(Promise.all(sets), WAIT_MS, "published");
    assertEquals(textOf(again), [["a", "2"], ["b", "1"]]);
  });

  it("sets one key again and again without waiting for a timer", async () => {
    const beats = { heartbeatInterval: 3_600_000 };
    const server = await stage.server(beats);
    const client = await stage.readyClient([server], beats);
    await eventually(() => client.stats().collectors === 1, WAIT_MS);
    const sets = Array.from({ length: 20 }, (_, i) => client.set("k", String(i)));
    await within(Promise.all(sets), WAIT_MS, "published");
    assertEquals([String(client.get("k")), client.stats().sent], ["19", 20]);
  });

  it("sends what was not published to the next server at once", async () => {
    const beats = { heartbeatInterval: 400, heartbeatLiveness: 200 };
    const raw = await stage.rawServer();
    const server = await stage.server(beats);
    const client = stage.client([raw.endpoints, server], beats);
    const set = client.set("k", "v");
    for (let i = 0; i < 2; i++) {
      await eventually(() => raw.publisher.topicsCount > 0, WAIT_MS);
      if (i === 0) await raw.publisher.send(keyValue("HUGZ", 0, ""));
      if (i === 0) {
        const [id] = await within(raw.router.receive(), WAIT_MS, "ICANHAZ");
        await raw.router.send([id, ...keyValue("KTHXBAI", 0, "")]);
      }
      await within(raw.collector.receive(), WAIT_MS, "KVSET");
    }
    await raw.publisher.close();
    await within(set, WAIT_MS, "published by the other");
    assertEquals([client.server, server.size], [server.endpoints, 1]);
  });

  it("bounds the updates that wait, and forgets those that are given up", async () => {
    const client = stage.client([NOWHERE], { maxPending: 2 });
    const giving = new AbortController();
    const given = client.set("a", "1", { signal: giving.signal });
    const stays = client.set("a", "2");
    assertSays(await rejection(client.set("b", "1"), "ENOBUFS"), "maxPending");
    giving.abort(Object.assign(new Error("enough"), { code: "ENOUGH" }));
    await rejection(given, "ENOUGH");
    assertEquals(client.stats().pending, 1);
    await rejection(client.set("b", "1", { signal: giving.signal }), "ENOUGH");
    await client.close();
    await rejection(stays, "EBADF");
    await rejection(client.ready, "EBADF");
    failure(() => client.set("a", "1"), "EBADF");
  });

  it("closes by its signal, and by await using", async () => {
    const ending = new AbortController();
    const server = await stage.server({ signal: ending.signal });
    const client = await stage.readyClient([server], { signal: ending.signal });
    ending.abort();
    assertEquals([server.closed, client.closed, server.active], [true, true, false]);
    await within(Promise.all([server.close(), client[Symbol.asyncDispose]()]), WAIT_MS, "close");
    failure(() => server.set("a", "1"), "EBADF");
  });

  it("is the same everywhere after any operations of any clients (a model)", async () => {
    const operation = fc.record({
      who: fc.nat(2),
      key: fc.constantFrom("/a/1", "/a/2", "/b/1", "c"),
      value: fc.option(fc.string({ minLength: 1, maxLength: 5 }), { nil: null }),
      wait: fc.boolean(),
    });
    const many = fc.array(operation, { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(many, fc.nat(60), async (operations, joins) => {
        const server = await stage.server();
        const clients: CloneClient[] = [];
        for (let i = 0; i < 2; i++) clients.push(await stage.readyClient([server]));
        const part = await stage.readyClient([server], { subtree: "/a/" });
        const last = new Map<string, Map<number, string | null>>();
        const sets: Promise<void>[] = [];
        for (const [i, { who, key, value, wait }] of operations.entries()) {
          if (i === joins) clients.push(stage.client([server])); // while others write
          if (who === 2) server.set(key, value);
          else sets.push(clients[who].set(key, value));
          last.set(key, (last.get(key) ?? new Map()).set(who, value));
          if (wait) await sets.at(-1);
        }
        await within(Promise.all(sets), WAIT_MS, "all are published");
        await within(Promise.all(clients.map(({ ready }) => ready)), WAIT_MS, "all are ready");
        await equal(server, ...clients);
        await equal(Array.from(server).filter(([key]) => key.startsWith("/a/")), part);
        // Each key has what one of the three set last.
        for (const [key, values] of last) {
          const own = server.get(key)?.toString() ?? null;
          assert(Array.from(values.values(), (value) => value && utf16(value)).includes(own));
        }
        await stage.close();
      }),
      { numRuns: 15 },
    );
  });
});

describe("a pair of Clone servers", () => {
  const stage = new Stage();
  afterEach(() => stage.close());

  it("CHP-11 the passive one follows, and refuses to be asked or changed", async () => {
    const [active, passive] = await stage.pair();
    const client = await stage.readyClient([active, passive]);
    await client.set("a", "1");
    active.set("b", "2");
    await equal(active, passive, client);
    assertSays(failure(() => passive.set("c", "3"), "EAGAIN"), "passive");
    const raw = stage.dealerTo(passive.endpoints!);
    await raw.send(["ICANHAZ?", ""]);
    await eventually(() => passive.stats().unanswered >= 1, WAIT_MS);
    await raw.send(["ICANHAZ?", "", "WHOLE"]);
    await eventually(() => passive.stats().unanswered >= 2, WAIT_MS);
    await pause(20);
    assertEquals(raw.tryReceive(), undefined);
    const subscriber = stage.keep(new Subscriber());
    subscriber.subscribe();
    subscriber.connect(passive.endpoints!.updates);
    await pause(3 * BEATS.heartbeatInterval);
    assertEquals(subscriber.tryReceive(), undefined, "no HUGZ");
    assertEquals([active.sequence, passive.sequence], [2, 2]);
  });

  it("the passive one takes over with all values, ttl and updates that were not published", async () => {
    const [active, passive] = await stage.pair();
    const client = await stage.readyClient([active, passive]);
    await client.set("kept", "1");
    await client.set("mortal", "1", { ttl: 2 });
    await equal(active, passive);
    // This one reaches the passive server only.
    const publisher = await stage.publisherTo(passive.endpoints!);
    await publisher.send(keyValue("held", 0, "1", { uuid: uuidOf(7) }));
    await eventually(() => passive.stats().pending === 1, WAIT_MS);
    assertEquals(client.has("held"), false);
    const failed = new Promise((resolve) => client.events.once("failover", resolve));
    await active.close();
    await failed;
    await eventually(() => client.connected && passive.active, WAIT_MS, "the other serves");
    await equal(passive, client);
    assertEquals([client.has("kept"), String(client.get("held"))], [true, "1"]);
    await eventually(() => !client.has("mortal"), WAIT_MS, "it expires at the new one");
    await publisher.send(keyValue("held", 0, "1", { uuid: uuidOf(7) }));
    await eventually(() => passive.stats().repeated === 1, WAIT_MS);
    await client.set("more", "1");
    await equal(passive, client);
  });

  it("the passive one does not publish again what the active one did", async () => {
    const [active, passive] = await stage.pair();
    const client = await stage.readyClient([active, passive]);
    await Promise.all(Array.from({ length: 50 }, (_, i) => client.set(`k${i % 10}`, String(i))));
    await eventually(() => passive.sequence === active.sequence, WAIT_MS);
    await eventually(() => passive.stats().pending === 0, WAIT_MS);
    const { sequence } = active;
    await active.close();
    await eventually(() => passive.active, WAIT_MS);
    assertEquals([passive.sequence, passive.stats().published], [sequence, 0]);
    assertEquals(client.get("k9")?.toString(), "49");
  });

  it("does not publish what it held and the active one has published before it followed", async () => {
    const stars = (["primary", "backup"] as const)
      .map((role) => stage.keep(new BinaryStar({ role, ...BEATS })));
    for (const star of stars) await star.bind("tcp://127.0.0.1:*");
    const active = await stage.server({ binaryStar: stars[0] });
    const passive = await stage.server({ binaryStar: stars[1] });
    const first = keyValue("k", 0, "first", { uuid: uuidOf(1) });
    const late = await stage.publisherTo(passive.endpoints!);
    await late.send(first);
    await late.send(keyValue("only here", 0, "v", { uuid: uuidOf(3) }));
    await eventually(() => passive.stats().pending === 2, WAIT_MS);
    stars[0].connect(stars[1].endpoint!);
    await eventually(() => active.active, WAIT_MS);
    const early = await stage.publisherTo(active.endpoints!);
    await early.send(first);
    await early.send(keyValue("k", 0, "second", { uuid: uuidOf(2) }));
    await early.send(keyValue("mortal", 0, "v", { uuid: uuidOf(4), properties: "ttl=2\n" }));
    await eventually(() => active.sequence === 3, WAIT_MS);
    passive.follow(active.endpoints!);
    stars[1].connect(stars[0].endpoint!);
    await eventually(() => passive.synchronised, WAIT_MS);
    assertEquals([passive.stats().pending, passive.sequence], [1, 3]);
    await late.send(first);
    await late.send(keyValue("here, too", 0, "v", { uuid: uuidOf(5) }));
    await eventually(() => passive.stats().pending === 2, WAIT_MS);
    await active.close();
    const client = await stage.readyClient([passive]);
    await eventually(() => !client.has("mortal"), WAIT_MS, "what had a ttl before expires");
    assertEquals(textOf(client), [["here, too", "v"], ["k", "second"], ["only here", "v"]]);
  });

  it("takes a client's request for a vote, another server's not", async () => {
    const [active, passive] = await stage.pair();
    const dealer = stage.dealerTo(passive.endpoints!);
    await active.close();
    await pause(PATIENCE + 3 * BEATS.heartbeatInterval);
    await dealer.send(["ICANHAZ?", "", "WHOLE"]);
    await eventually(() => passive.stats().unanswered === 1, WAIT_MS);
    assertEquals(passive.active, false);
    assertEquals((await snapshotOf(dealer, "")).length, 1);
    assert(passive.active);
  });

  it("holds so many updates, and none without a UUID", async () => {
    const [, passive] = await stage.pair({ maxPending: 3 });
    const publisher = await stage.publisherTo(passive.endpoints!);
    for (let i = 1; i <= 5; i++) {
      await publisher.send(keyValue(`k${i}`, 0, "v", { uuid: uuidOf(i) }));
    }
    await publisher.send(keyValue("none", 0, "v"));
    await eventually(() => passive.stats().dropped === 3, WAIT_MS);
    assertEquals(passive.stats().pending, 3);
  });

  it("tells a server that asks for the whole what is left of each ttl, UUIDs and properties", async () => {
    const server = await stage.server();
    const raw = await stage.rawClient(server.endpoints!);
    const properties = "a=b\nttl=100\n";
    await raw.publisher.send(keyValue("k", 0, "v", { uuid: uuidOf(3), properties }));
    await nextUpdate(raw.subscriber);
    await pause(1_050);
    const [[key, , uuid, told, value], history] = await snapshotOf(raw.dealer, "", "WHOLE");
    assertEquals([String(history[0]), history[4][0], history[4].length], ["", 3, 16]);
    assertEquals([String(key), uuid[0], String(told), String(value)], [
      "k",
      3,
      "a=b\nttl=99\n",
      "v",
    ]);
    const [[, , none, nothing]] = await snapshotOf(raw.dealer, "");
    assertEquals([none.length, nothing.length], [0, 0]);
    assertNotEquals(uuid.length, 0);
  });
});

async function rejectsAddress(server: CloneServer): Promise<void> {
  for (const address of ["tcp://127.0.0.1", "ipc://x", "tcp://127.0.0.1:70000"]) {
    assertSays(await rejection(server.bind(address), "EINVAL"), "three endpoints");
  }
}

/** As UTF-8 keeps it: halves of pairs are lost. */
function utf16(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}
