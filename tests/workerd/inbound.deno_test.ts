// libzmq connects to a worker, which accepts with its sockets, on the real workerd.

import { assert, assertEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { pause } from "../_util/deadline.ts";
import { type MessageSpec, type Peer, type PeerSocket, startPeer } from "../_util/peer.ts";
import { GRID, MANY } from "../_util/traffic.ts";
import { Workerd } from "./workerd.ts";

const WORKER = "tests/workerd/programs/inbound.ts";
const LOOK_MS = 20;
const LOOKS = 1_500;

describe("a worker that accepts", () => {
  let workerd: Workerd;
  let peer: Peer;
  const sockets: PeerSocket[] = [];
  before(async () => {
    peer = startPeer();
    workerd = await Workerd.start(WORKER, { objects: ["Hub"] });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) await socket.close();
  });
  after(async () => {
    await peer.stop();
    await workerd?.kill();
  });

  async function open(...args: Parameters<Peer["open"]>): Promise<PeerSocket> {
    const socket = await peer.open(...args);
    sockets.push(socket);
    return socket;
  }

  async function connected(...args: Parameters<Peer["open"]>): Promise<PeerSocket> {
    const socket = await open(...args);
    if (args[0] === "Subscriber") await socket.subscribe("");
    await socket.connect(workerd.tcp);
    return socket;
  }

  async function serve(type: string, spec: MessageSpec = MANY): Promise<void> {
    await workerd.ask("/serve", { type, spec: JSON.stringify(spec) });
  }

  async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
    for (let i = 0; i < LOOKS; i++) {
      const seen = await look();
      if (holds(seen)) return seen;
      await pause(LOOK_MS);
    }
    throw new Error(`It did not come to that\n${workerd.errors}`);
  }

  function outcomes(): Promise<unknown[]> {
    return until(() => workerd.ask<unknown[]>("/outcomes"), (seen) => seen.length > 0);
  }

  for (const [what, spec] of [["10 000 messages", MANY], ["every size", GRID]] as const) {
    it(`pulls ${what} from libzmq's PUSH`, async () => {
      await serve("pull", spec);
      const push = await connected("Push", { linger: -1 });
      await push.sendMany(spec);
      await push.close();
      sockets.length = 0;
      assertEquals(await outcomes(), [spec.count]);
    });

    it(`routes ${what} of libzmq's DEALER`, async () => {
      await serve("router", spec);
      const dealer = await connected("Dealer");
      await dealer.exchange(spec);
      await dealer.close();
      sockets.length = 0;
      assertEquals(await outcomes(), [spec.count]);
    });

    it(`publishes ${what} to libzmq's SUB`, async () => {
      await serve("publisher", spec);
      const subscriber = await connected("Subscriber", { receiveHighWaterMark: 0 });
      await subscriber.receiveMany(spec);
      assertEquals(await outcomes(), [spec.count]);
    });
  }

  it("serves many peers with the sockets of a Durable Object", async () => {
    await serve("hub/router");
    const some = { ...MANY, count: 1_000 };
    const dealers = await Promise.all([0, 1, 2].map(() => connected("Dealer")));
    await Promise.all(dealers.map((dealer) => dealer.exchange(some)));
    assertEquals(await workerd.ask("/hub/peers"), 3);
    for (const dealer of dealers) await dealer.close();
    sockets.length = 0;
    await until(() => workerd.ask("/hub/peers"), (count) => count === 0);
  });

  it("publishes to many peers from a Durable Object", async () => {
    await serve("hub/publisher");
    const options = { receiveHighWaterMark: 0 };
    const subscribers = await Promise.all([0, 1, 2].map(() => connected("Subscriber", options)));
    const spec = JSON.stringify(MANY);
    await Promise.all([
      workerd.ask("/hub/publish", { spec, peers: 3 }),
      ...subscribers.map((subscriber) => subscriber.receiveMany(MANY)),
    ]);
  });

  it("reads no more than it has room for, and the rest when it has", async () => {
    await serve("hub/pull");
    const push = await connected("Push", { sendHighWaterMark: 10 });
    const long: MessageSpec = { seed: 3, count: 3_000, sizes: [20_000], parts: [1, 1] };
    const sent = push.sendMany(long);
    let before = -1;
    const stands = (now: number) => now > 0 && now === before || (before = now, false);
    for (let i = 0; i < 5; i++) await until(() => workerd.ask<number>("/hub/pulled"), stands);
    const room = before;
    assert(room < 100, `${room} messages were taken`);
    assertEquals(await workerd.ask("/hub/pull", { spec: JSON.stringify(long) }), long.count);
    await sent;
  });

  it("ends a connection that does not speak ZMTP, and no other", async () => {
    await serve("hub/router");
    const dealer = await connected("Dealer");
    await dealer.exchange({ ...MANY, count: 10 });
    const stranger = await Deno.connect({ port: workerd.port("tcp") });
    await stranger.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const memory = new Uint8Array(1_000);
    while (await stranger.read(memory).catch(() => null) !== null);
    stranger.close();
    await dealer.exchange({ ...MANY, count: 10 });
    type Told = { type: string; code: string }[];
    const events = await until(
      () => workerd.ask<Told>("/hub/events"),
      (events) => events.some(({ type }) => type.startsWith("handshake:error")),
    );
    assert(events.some(({ code }) => code.startsWith("ERR_ZMTP_")), JSON.stringify(events));
  });

  it("goes on when peers vanish in the middle of it all", async () => {
    await serve("hub/router");
    const dealer = await connected("Dealer");
    for (let i = 0; i < 5; i++) {
      const other = startPeer();
      const flood = await other.open("Dealer");
      await flood.connect(workerd.tcp);
      await flood.sendMany({ ...MANY, count: 500 });
      await other.kill();
    }
    await dealer.exchange({ ...MANY, count: 100 });
    await until(() => workerd.ask("/hub/peers"), (count) => count === 1);
  });
});
