// CHP (RFC 12) frame by frame: a server of ours and the raw end of a client, and the reverse.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import type { Frame, MessageLike } from "../../../mod.ts";
import { CloneServer } from "../../../src/patterns/clone/mod.ts";
import { assertFrames } from "../../_util/bytes.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import {
  equal,
  keyValue,
  nextUpdate,
  number,
  type RawServer,
  snapshotOf,
  Stage,
  textOf,
  uuidOf,
  WAIT_MS,
  wireOf,
} from "./stage.ts";

const HELLO = {
  icanhaz: "01 08 4943414e48415a3f 00 08 2f636c69656e742f",
  kvsync: "01 03 6b6579 01 08 0000000000000007 01 00 01 00 00 03 76616c",
  kthxbai: "01 07 4b544858424149 01 08 0000000000000007 01 00 01 00 00 08 2f636c69656e742f",
  hugz: "01 04 4855475a 01 08 0000000000000000 01 00 01 00 00 00",
};

describe("CHP: a server", () => {
  const stage = new Stage();
  afterEach(() => stage.close());

  it("CHP-01 opens a ROUTER, a publisher and a SUB, at three ports in a row if told so", async () => {
    const server = await stage.server();
    const raw = await stage.rawClient(server.endpoints!);
    assertEquals((await snapshotOf(raw.dealer, "")).length, 1);
    const base = Number(/\d+$/.exec(server.endpoints!.snapshots)![0]);
    await server.close();
    const fixed = stage.keep(new CloneServer());
    // Somebody else may have the other two ports: then there is nothing to see here.
    const bound = await fixed.bind(`tcp://127.0.0.1:${base}`).then(() => true, () => false);
    if (!bound) return;
    const at = (offset: number): string => `tcp://127.0.0.1:${base + offset}`;
    assertEquals(fixed.endpoints, { snapshots: at(0), updates: at(1), collector: at(2) });
  });

  it("GV-CHP: KVSYNC, KTHXBAI and HUGZ are the vectors' octets", async () => {
    const server = await stage.server();
    const raw = await stage.rawClient(server.endpoints!);
    for (let i = 0; i < 7; i++) server.set("key", "val");
    assertEquals(wireOf((await snapshotOf(raw.dealer, ""))[0]), HELLO.kvsync);
    assertEquals((await snapshotOf(raw.dealer, "/client/")).map(wireOf), [HELLO.kthxbai]);
    for (;;) {
      const frames = await within(raw.subscriber.receive(), WAIT_MS, "HUGZ");
      if (String(frames[0]) !== "HUGZ") continue;
      assertEquals(wireOf(frames), HELLO.hugz);
      break;
    }
  });

  it("CHP-04 CHP-05 answers KVSYNC for each key of the subtree, then KTHXBAI with the highest number", async () => {
    const server = await stage.server();
    const { dealer } = await stage.rawClient(server.endpoints!);
    for (const key of ["/a/1", "/a/2", "/b/1", "/ab", "c", "/a/b/1"]) server.set(key, `of ${key}`);
    server.delete("/b/1");
    for (
      const [subtree, keys] of Object.entries({
        "": ["/a/1", "/a/2", "/a/b/1", "/ab", "c"],
        "/a/": ["/a/1", "/a/2", "/a/b/1"],
        "/a/b/": ["/a/b/1"],
        "/nothing/": [],
      })
    ) {
      const all = await snapshotOf(dealer, subtree);
      const end = all.pop()!;
      assertEquals(all.map(([key]) => String(key)).sort(), keys);
      for (const frames of all) {
        assertFrames(frames.slice(2), ["", "", `of ${frames[0]}`]);
        assert(numberOf(frames) <= numberOf(end));
      }
      if (all.length > 0) assertEquals(Math.max(...all.map(numberOf)), numberOf(end));
      assertFrames(end, ["KTHXBAI", number(7), "", "", subtree]);
    }
  });

  it("CHP-07 publishes each update with a number above the last", async () => {
    const server = await stage.server();
    const raw = await stage.rawClient(server.endpoints!);
    server.set("own", "1");
    for (let i = 1; i <= 5; i++) {
      await raw.publisher.send(
        keyValue("k", 99, `v${i}`, { uuid: uuidOf(i), properties: "a=b\n" }),
      );
    }
    const [own] = [await nextUpdate(raw.subscriber)];
    assertEquals([String(own[0]), numberOf(own), own[2].length], ["own", 1, 16]);
    for (let i = 1; i <= 5; i++) {
      assertFrames(await nextUpdate(raw.subscriber), [
        "k",
        number(i + 1),
        uuidOf(i),
        "a=b\n",
        `v${i}`,
      ]);
    }
    assertEquals(server.sequence, 6);
  });

  it("CHP-08 deletes for a KVSET with an empty value, and tells", async () => {
    const server = await stage.server();
    const raw = await stage.rawClient(server.endpoints!);
    await raw.publisher.send(keyValue("k", 0, "v"));
    assertFrames(await nextUpdate(raw.subscriber), ["k", number(1), "", "", "v"]);
    await raw.publisher.send(keyValue("k", 0, ""));
    assertFrames(await nextUpdate(raw.subscriber), ["k", number(2), "", "", ""]);
    assertEquals([server.size, server.has("k")], [0, false]);
    assertEquals((await snapshotOf(raw.dealer, "")).length, 1);
  });

  it("CHP-09 sends HUGZ again and again, and at once to who subscribes", async () => {
    const server = await stage.server({ heartbeatInterval: 20 });
    const { subscriber } = await stage.rawClient(server.endpoints!);
    for (let i = 0; i < 5; i++) {
      assertEquals(String((await within(subscriber.receive(), WAIT_MS, "HUGZ"))[0]), "HUGZ");
    }
    const slow = await stage.server({ heartbeatInterval: 3_600_000 });
    await stage.rawClient(slow.endpoints!); // waits for one
    await stage.rawClient(slow.endpoints!); // and so does the second, with the same subscription
  });

  it("CHP-10 deletes what has a ttl when that is over, unless it is set again", async () => {
    const server = await stage.server();
    const raw = await stage.rawClient(server.endpoints!);
    const start = performance.now();
    await raw.publisher.send(keyValue("gone", 0, "v", { uuid: uuidOf(1), properties: "ttl=1\n" }));
    await raw.publisher.send(keyValue("kept", 0, "v", { uuid: uuidOf(2), properties: "ttl=1\n" }));
    await raw.publisher.send(keyValue("kept", 0, "w", { uuid: uuidOf(3), properties: "ttl=0\n" }));
    assertFrames(await nextUpdate(raw.subscriber), ["gone", number(1), uuidOf(1), "ttl=1\n", "v"]);
    for (let i = 2; i <= 3; i++) assertEquals(numberOf(await nextUpdate(raw.subscriber)), i);
    assertFrames(await nextUpdate(raw.subscriber), ["gone", number(4), "", "", ""]);
    assert(performance.now() - start >= 1000, "no sooner than it says");
    assertEquals(textOf(server), [["kept", "w"]]);
    assertEquals(server.stats().expired, 1);
  });

  it("CHP-12 passes properties on as they are written", async () => {
    const server = await stage.server();
    const raw = await stage.rawClient(server.endpoints!);
    const properties = "b=1\na=x=y\n__proto__=z\nempty=\nspace here= ü \n";
    await raw.publisher.send(keyValue("k", 0, "v", { properties }));
    assertFrames(await nextUpdate(raw.subscriber), ["k", number(1), "", properties, "v"]);
  });

  it("counts and drops what is no CHP, and what is above its limits", async () => {
    const server = await stage.server({ maxKeyLength: 20, maxValueSize: 100, maxKeys: 2 });
    const told: string[] = [];
    server.events.on("malformed", ({ from, reason }) => told.push(`${from}: ${reason}`));
    const raw = await stage.rawClient(server.endpoints!);
    const requests: MessageLike[][] = [
      ["ICANHAZ?"],
      ["ICANHAZ", ""],
      ["ICANHAZ?", "a"],
      ["ICANHAZ?", "/a"],
      ["ICANHAZ?", "//"],
      ["ICANHAZ?", "/"],
      ["ICANHAZ?", "/" + "a".repeat(30) + "/"],
      ["ICANHAZ?", Uint8Array.of(0x2f, 0xff, 0x2f)],
      ["ICANHAZ?", "", "MORE"],
      ["ICANHAZ?", "", "WHOLE", ""],
    ];
    for (const frames of requests) await raw.dealer.send(frames);
    const updates: MessageLike[][] = [
      ["k"],
      keyValue("k", 0, "v").slice(0, 4),
      [...keyValue("k", 0, "v"), ""],
      keyValue("", 0, "v"),
      keyValue("HUGZ", 0, "v"),
      keyValue("KTHXBAI", 0, "v"),
      keyValue("k".repeat(21), 0, "v"),
      keyValue("k", 0, "v".repeat(101)),
      ["k", new Uint8Array(7), "", "", "v"],
      ["k", new Uint8Array(8).fill(255), "", "", "v"],
      keyValue("k", 0, "v", { uuid: new Uint8Array(15) }),
      keyValue("k", 0, "v", { properties: "ttl=1" }),
      keyValue("k", 0, "v", { properties: "ttl\n" }),
      keyValue("k", 0, "v", { properties: "=1\n" }),
      keyValue("k", 0, "v", { properties: "ttl=soon\n" }),
      keyValue("k", 0, "v", { properties: "ttl=-1\n" }),
      keyValue("k", 0, "v", { properties: `a=${"b".repeat(4100)}\n` }),
      ["k", number(0), "", Uint8Array.of(0xff), "v"],
      [Uint8Array.of(0xc0), number(0), "", "", "v"],
    ];
    for (const frames of updates) await raw.publisher.send(frames);
    const bad = requests.length + updates.length;
    await eventually(() => told.length === bad, WAIT_MS, `${bad} malformed: ${told.join()}`);
    assertEquals([server.stats().malformed, server.size, server.sequence], [bad, 0, 0]);
    const refused: string[] = [];
    server.events.on("refused", ({ key }) => refused.push(key));
    for (const key of ["a", "b", "c", "a"]) await raw.publisher.send(keyValue(key, 0, `of ${key}`));
    await eventually(() => server.sequence === 3, WAIT_MS);
    assertEquals([refused, server.size, server.stats().refused], [["c"], 2, 1]);
    assertEquals((await snapshotOf(raw.dealer, "")).length, 3, "it still serves");
  });

  it("CHP-11 publishes an update that is sent again once, and tells its client that it was", async () => {
    const server = await stage.server();
    const raw = await stage.rawClient(server.endpoints!);
    const first = keyValue("k", 0, "first", { uuid: uuidOf(1) });
    await raw.publisher.send(first);
    await raw.publisher.send(keyValue("k", 0, "second", { uuid: uuidOf(2) }));
    await raw.publisher.send(first);
    for (let i = 1; i <= 2; i++) await nextUpdate(raw.subscriber);
    assertFrames(await nextUpdate(raw.subscriber), ["k", number(3), uuidOf(1), "", "second"]);
    assertEquals([String(server.get("k")), server.stats().repeated], ["second", 1]);
  });

  it("sends a snapshot as fast as it is read, and all of it", async () => {
    const server = await stage.server({ highWaterMark: 5 });
    for (let i = 0; i < 2_000; i++) server.set(`/k/${i}`, "x".repeat(1_000));
    const client = await stage.readyClient([server]);
    assertEquals(client.size, 2_000);
  });

  it("goes on while a client reads nothing of its snapshot, and one is gone", async () => {
    const server = await stage.server({ heartbeatInterval: 50, heartbeatLiveness: 1 });
    const value = "x".repeat(10_000);
    for (let i = 0; i < 3_000; i++) server.set(`/k/${i}`, value);
    const slow = await stage.rawClient(server.endpoints!);
    slow.dealer.receiveHighWaterMark = 1;
    await slow.dealer.send(["ICANHAZ?", ""]);
    const gone = await stage.rawClient(server.endpoints!);
    await gone.dealer.send(["ICANHAZ?", ""]);
    await gone.dealer.receive();
    await gone.dealer.close();
    const client = await stage.readyClient([server], { heartbeatInterval: 1000 });
    await client.set("/k/0", "new");
    assertEquals([client.size, String(server.get("/k/0"))], [3_000, "new"]);
    await eventually(() => server.stats().abandoned >= 1, WAIT_MS, "the gone one is given up");
  });
});

describe("CHP: a client", () => {
  const stage = new Stage();
  afterEach(() => stage.close());

  const greet = async (raw: RawServer): Promise<void> => {
    await eventually(() => raw.publisher.topicsCount > 0, WAIT_MS, "the client subscribes");
    await raw.publisher.send(keyValue("HUGZ", 0, ""));
  };
  const request = (raw: RawServer): Promise<Frame[]> =>
    within(raw.router.receive(), WAIT_MS, "ICANHAZ?");

  it("CHP-02 CHP-03 GV-CHP: opens its connections and begins with ICANHAZ", async () => {
    const raw = await stage.rawServer();
    stage.client([raw.endpoints], { subtree: "/client/" });
    await greet(raw);
    const [, ...frames] = await request(raw);
    assertEquals(wireOf(frames), HELLO.icanhaz);
    await eventually(() => raw.publisher.topicsCount === 2, WAIT_MS, "the subtree, and HUGZ");
  });

  it("CHP-06 CHP-07 applies after KTHXBAI what was published after the snapshot, and nothing older", async () => {
    const raw = await stage.rawServer();
    const client = stage.client([raw.endpoints]);
    await greet(raw);
    const [id] = await request(raw);
    await raw.publisher.send(keyValue("a", 4, "older"));
    await raw.publisher.send(keyValue("b", 6, "newer"));
    await raw.router.send([id, ...keyValue("a", 5, "snapshot")]);
    await pause(50);
    assertEquals([client.size, client.connected], [0, false], "nothing before KTHXBAI");
    await raw.router.send([id, ...keyValue("KTHXBAI", 5, "")]);
    await within(client.ready, WAIT_MS, "ready");
    await equal(client, [["a", bytes("snapshot")], ["b", bytes("newer")]]);
    for (
      const [sequence, value] of [[6, "again"], [7, "7"], [7, "again"], [3, "old"], [
        5,
        "old",
      ]] as const
    ) {
      await raw.publisher.send(keyValue("b", sequence, value));
    }
    await raw.publisher.send(keyValue("c", 8, "last"));
    await eventually(() => client.has("c"), WAIT_MS);
    assertEquals(textOf(client), [["a", "snapshot"], ["b", "7"], ["c", "last"]]);
    assertEquals(client.stats().stale, 5);
  });

  it("CHP-08 deletes for an empty value", async () => {
    const raw = await stage.rawServer();
    const client = stage.client([raw.endpoints]);
    const deleted: string[] = [];
    client.events.on("delete", ({ key }) => deleted.push(key));
    await greet(raw);
    const [id] = await request(raw);
    await raw.router.send([id, ...keyValue("a", 1, "v")]);
    await raw.router.send([id, ...keyValue("KTHXBAI", 1, "")]);
    await raw.publisher.send(keyValue("a", 2, ""));
    await raw.publisher.send(keyValue("unknown", 3, ""));
    await eventually(() => client.stats().updates === 2, WAIT_MS);
    assertEquals([client.size, deleted], [0, ["a"]]);
  });

  it("CHP-09 goes on to the next server when the first is silent", async () => {
    const raw = await stage.rawServer();
    const server = await stage.server();
    server.set("k", "v");
    const beats = { heartbeatInterval: 50, heartbeatLiveness: 4 };
    const client = stage.client([raw.endpoints, server], beats);
    const reasons: string[] = [];
    client.events.on("failover", ({ from, to, reason }) => {
      if (reasons.length === 0) assertEquals([from, to], [raw.endpoints, server.endpoints]);
      reasons.push(reason);
    });
    await within(client.ready, WAIT_MS, "ready");
    assertEquals([textOf(client), reasons[0]], [[["k", "v"]], "silent"]);
  });

  it("asks again when its subscription came later than its snapshot", async () => {
    const raw = await stage.rawServer();
    const client = stage.client([raw.endpoints], { heartbeatInterval: 20, heartbeatLiveness: 500 });
    const [id] = await request(raw); // before anything was published to it
    await raw.router.send([id, ...keyValue("a", 1, "old")]);
    await raw.router.send([id, ...keyValue("KTHXBAI", 1, "")]);
    await pause(50);
    assertEquals([client.connected, client.size], [false, 0]);
    await greet(raw);
    const [second] = await request(raw);
    await raw.router.send([id, ...keyValue("a", 1, "late")]); // to the first request again
    await raw.router.send([id, ...keyValue("KTHXBAI", 9, "")]);
    await pause(20);
    assertEquals(client.connected, false);
    await raw.router.send([second, ...keyValue("a", 2, "new")]);
    await raw.router.send([second, ...keyValue("KTHXBAI", 2, "")]);
    await within(client.ready, WAIT_MS, "ready");
    assertEquals(textOf(client), [["a", "new"]]);
  });

  it("passes over an answer to what it asked before its subscription", async () => {
    const raw = await stage.rawServer();
    const client = stage.client([raw.endpoints], { heartbeatInterval: 20, heartbeatLiveness: 500 });
    const [first] = await request(raw);
    await greet(raw);
    let [second] = await request(raw);
    while (sameId(first, second)) [second] = await request(raw); // it may have asked again
    await raw.router.send([first, ...keyValue("KTHXBAI", 1, "")]);
    await pause(20);
    assertEquals(client.connected, false);
    await raw.router.send([second, ...keyValue("KTHXBAI", 1, "")]);
    await within(client.ready, WAIT_MS, "ready");
  });

  it("CHP-11 CHP-12 sends KVSET with a UUID and properties until it is published", async () => {
    const raw = await stage.rawServer();
    const client = stage.client([raw.endpoints], { heartbeatInterval: 20, heartbeatLiveness: 5 });
    await greet(raw);
    const beating = beat(raw);
    const [id] = await request(raw);
    await raw.router.send([id, ...keyValue("KTHXBAI", 0, "")]);
    await within(client.ready, WAIT_MS, "ready");
    let published = false;
    const set = client.set("k", "v", { ttl: 30, properties: { by: "Ada" } })
      .then(() => published = true);
    const next = client.set("k", "w");
    const first = await within(raw.collector.receive(), WAIT_MS, "KVSET");
    assertFrames([first[0], first[1], first[3], first[4]], [
      "k",
      number(0),
      "by=Ada\nttl=30\n",
      "v",
    ]);
    assertEquals([first[2].length, first[2][6] >> 4, first[2][8] >> 6], [16, 4, 2], "a UUID");
    const again = await within(raw.collector.receive(), WAIT_MS, "KVSET again");
    assertFrames(again, first);
    assertEquals([published, client.stats().pending], [false, 2], "of one key, one at a time");
    await raw.publisher.send(keyValue("k", 1, "v", { uuid: first[2] }));
    await within(set, WAIT_MS, "published");
    let second = again;
    while (String(second[4]) === "v") second = await within(raw.collector.receive(), WAIT_MS, "w");
    await raw.publisher.send(keyValue("k", 2, "w", { uuid: second[2] }));
    await within(next, WAIT_MS, "published");
    assertEquals([client.stats().pending, String(client.get("k"))], [0, "w"]);
    clearInterval(beating);
  });

  it("counts and drops what is no CHP", async () => {
    const raw = await stage.rawServer();
    const client = stage.client([raw.endpoints], { subtree: "/a/", maxKeys: 2 });
    const told: string[] = [];
    client.events.on("malformed", ({ from, reason }) => told.push(`${from}: ${reason}`));
    await greet(raw);
    const [id] = await request(raw);
    for (
      const frames of [
        ["x"],
        keyValue("/b/1", 1, "v"),
        keyValue("/a/1", 1, ""),
        keyValue("/a/1", 1, "v"),
        keyValue("/a/2", 1, "v"),
        keyValue("/a/3", 1, "v"),
      ]
    ) {
      await raw.router.send([id, ...frames]);
    }
    await raw.router.send([id, ...keyValue("KTHXBAI", 1, "/a/")]);
    await within(client.ready, WAIT_MS, "ready");
    assertEquals([client.size, told.length], [2, 4]);
    for (const frames of [["/a/x"], keyValue("HUGZ more", 2, "v"), keyValue("/a/4", 3, "v")]) {
      await raw.publisher.send(frames);
    }
    await eventually(() => told.length === 6, WAIT_MS);
    assertEquals(told, [
      "snapshots: 1 frames, not 5",
      "snapshots: a key never asked for",
      "snapshots: a snapshot with an empty value",
      "snapshots: more than 2 keys",
      "updates: 1 frames, not 5",
      "updates: more than 2 keys",
    ]);
    assertEquals(client.stats().malformed, 6);
  });

  it("asks anew when it was sent more than it may hold, or notices that it missed some", async () => {
    const raw = await stage.rawServer();
    const client = stage.client([raw.endpoints], {
      heartbeatInterval: 50,
      heartbeatLiveness: 3,
      maxPending: 5,
    });
    const reasons: string[] = [];
    client.events.on("failover", ({ reason }) => reasons.push(reason));
    await greet(raw);
    await request(raw);
    for (let i = 1; i <= 6; i++) await raw.publisher.send(keyValue("k", i, "v"));
    await eventually(() => reasons.length === 1, WAIT_MS);
    assertEquals(reasons, ["too many updates"]);
    const beating = beat(raw);
    const answering = (async () => {
      for await (const [id] of raw.router) raw.router.trySend([id, ...keyValue("KTHXBAI", 10, "")]);
    })();
    await within(client.ready, WAIT_MS, "ready");
    await pause(200);
    const before = client.stats().snapshots;
    await raw.publisher.send(keyValue("k", 15, "v"));
    await eventually(() => reasons.includes("missed updates"), WAIT_MS);
    await eventually(() => client.stats().snapshots > before, WAIT_MS);
    clearInterval(beating);
    await raw.router.close();
    await answering;
  });
});

function beat(raw: RawServer): ReturnType<typeof setInterval> {
  return setInterval(() => {
    if (!raw.publisher.closed) raw.publisher.trySend(keyValue("HUGZ", 0, ""));
  }, 20);
}

function numberOf(frames: readonly Uint8Array[]): number {
  return frames[1].reduce((sum, octet) => sum * 256 + octet, 0);
}

function bytes(text: string): Uint8Array {
  return Object.assign(new TextEncoder().encode(text), { toString: () => text });
}

function sameId(a: Uint8Array, b: Uint8Array): boolean {
  return a.join() === b.join();
}
