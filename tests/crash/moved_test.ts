// A listener moves: another process, on another runtime, takes its place at the same address, its socket file is replaced,
// or it goes to another address. Who connected follows, and what it holds comes along.

import { assert, assertEquals, assertGreater } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Dealer, Push, Router, Subscriber } from "../../mod.ts";
import { assertFrames, textsOf } from "../_util/bytes.ts";
import { eventually, within } from "../_util/deadline.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import { files, pathOf } from "../_util/files.ts";
import { freeEndpoint } from "../_util/ports.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { Opened } from "../_util/traffic.ts";
import { parted, Peers, SIDES, twoSides } from "./peers.ts";

const WAIT_MS = 15_000;
const QUICK = { reconnectInterval: 10 } as const;
const SENDS = { ...QUICK, sendTimeout: WAIT_MS } as const;
const BOTH = { ...SENDS, receiveTimeout: WAIT_MS } as const;

describe("a listener moves", () => {
  const opened = new Opened();
  const peers = new Peers();
  let folder: SocketFolder;
  before(() => {
    folder = new SocketFolder();
  });
  after(() => folder.remove());
  afterEach(async () => {
    await within(opened.close(), WAIT_MS, "survivors close");
    await peers.kill();
  });

  async function send(socket: Push | Dealer, from: number, to: number): Promise<void> {
    for (let i = from; i < to; i++) await socket.send([String(i), new Uint8Array(100)]);
  }

  it("to other processes, each behind a dead one's socket file: all of them are found", async () => {
    const push = opened.add(new Push(SENDS));
    const log = new EventLog(push);
    const endpoint = folder.endpoint("heirs");
    push.connect(endpoint);
    let next = 0;
    for (const [i, side] of SIDES.entries()) {
      const [peer, pull] = await peers.open(side, "Pull");
      await pull.bind(endpoint);
      await send(push, next, next + 100);
      assertEquals(await pull.receiveSequence(100), [[next, next + 99]]);
      next += 100;
      await peer.kill();
      assert(files.existsSync(pathOf(endpoint)), "a killed process leaves its file");
      await parted(log, i + 1);
    }
    const refused = (): boolean =>
      log.of("connect:retry").some((event) => codeOf(event) === "ECONNREFUSED");
    await eventually(refused, WAIT_MS, "a dead one's file refuses");
    for (const { address } of log.of("disconnect")) assertEquals(address, endpoint);
  });

  it("while the old one lives on without its socket file: it keeps who is there", async () => {
    const [side, otherSide] = twoSides(0);
    const endpoint = folder.endpoint("replaced");
    const push = opened.add(new Push(SENDS));
    push.connect(endpoint);
    const [old, pull] = await peers.open(side, "Pull");
    await pull.bind(endpoint);
    await send(push, 0, 10);
    assertEquals(await pull.receiveSequence(10), [[0, 9]]);
    files.unlinkSync(pathOf(endpoint));
    const [, newer] = await peers.open(otherSide, "Pull");
    await newer.bind(endpoint);
    await send(push, 10, 20);
    assertEquals(await pull.receiveSequence(10), [[10, 19]]);
    // Who comes now finds the new one, and so does who was with the old one when that dies.
    const late = opened.add(new Push(SENDS));
    late.connect(endpoint);
    await send(late, 100, 110);
    assertEquals(await newer.receiveSequence(10), [[100, 109]]);
    const log = new EventLog(push);
    await old.kill();
    await log.next("disconnect", WAIT_MS);
    await send(push, 20, 30);
    assertEquals(await newer.receiveSequence(10), [[20, 29]]);
  });

  it("to another address: what waits for the old one goes to the new one", async () => {
    const [side] = twoSides(2);
    const dealer = opened.add(new Dealer(SENDS));
    const log = new EventLog(dealer);
    const [, other] = await peers.open(side, "Dealer");
    const first = await other.bind();
    dealer.connect(first);
    await send(dealer, 0, 10);
    assertEquals(await other.receiveSequence(10), [[0, 9]]);
    await other.unbind(first);
    const second = await other.bind();
    await log.next("disconnect", WAIT_MS);
    await send(dealer, 10, 110);
    dealer.connect(second);
    await log.nth("handshake", 2, WAIT_MS);
    dealer.disconnect(first);
    assertEquals(await other.receiveSequence(100), [[10, 109]]);
  });

  it("to another type of socket: it is refused, with the reason, and no process suffers", async () => {
    const [side, otherSide] = twoSides(1);
    const endpoint = await freeEndpoint();
    const sub = opened.add(new Subscriber({ ...QUICK, receiveTimeout: WAIT_MS }));
    const log = new EventLog(sub);
    sub.subscribe("");
    sub.connect(endpoint);
    const [peer, pub] = await peers.open(side, "XPublisher");
    await pub.bind(endpoint);
    await pub.receive();
    await pub.send("hello");
    assertFrames(await sub.receive(), ["hello"]);
    await peer.kill();
    await log.next("disconnect", WAIT_MS);
    const [, pull] = await peers.open(otherSide, "Pull");
    await pull.bind(endpoint);
    const failed = await log.next("handshake:error:protocol", WAIT_MS);
    assertEquals(failed.address, endpoint);
    const other = opened.add(new Push(SENDS));
    other.connect(endpoint);
    await send(other, 0, 3);
    assertEquals(await pull.receiveSequence(3), [[0, 2]]);
    assertEquals(sub.readable, false);
  });

  it("that is ours, on every runtime's side: those who connected follow it", async () => {
    const endpoint = await freeEndpoint();
    const clients = await Promise.all(
      SIDES.map((side) => peers.open(side, "Dealer", { routingId: side, reconnectInterval: 10 })),
    );
    for (const [, dealer] of clients) await dealer.connect(endpoint);
    for (let life = 0; life < 2; life++) {
      const router = opened.add(new Router({ ...BOTH, mandatory: true }));
      await router.bind(endpoint);
      for (const [, dealer] of clients) await dealer.send(`hello ${life}`);
      const met = new Set<string>();
      while (met.size < SIDES.length) {
        const [id, text] = textsOf(await router.receive());
        assertEquals(text, `hello ${life}`);
        met.add(id);
      }
      assertEquals([...met].sort(), [...SIDES].sort());
      for (const [i, [, dealer]] of clients.entries()) {
        await router.send([SIDES[i], "welcome"]);
        assertFrames(await dealer.receive(), ["welcome"]);
      }
      await within(router.close(), WAIT_MS, "close");
      for (const [, dealer] of clients) {
        const left = async (): Promise<boolean> => {
          const types = (await dealer.eventLog()).map(({ type }) => type);
          return types.filter((type) => type === "disconnect").length > life;
        };
        await eventually(left, WAIT_MS, "they notice");
      }
    }
    const events = await clients[0][1].eventLog();
    assertGreater(events.filter(({ type }) => type === "connect:retry").length, 0);
  });
});
