// Our proxy between libzmq's sockets.

import { assertEquals, assertGreater } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import {
  Dealer,
  Proxy,
  Publisher,
  Pull,
  Push,
  Router,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { assertFrames, textsOf } from "../_util/bytes.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { expectForwarding } from "../_util/forwarding.ts";
import { pattern } from "../_util/octets.ts";
import {
  type MessageSpec,
  type Peer,
  type PeerOptions,
  type PeerSocket,
  startPeer,
} from "../_util/peer.ts";
import type { PeerSocketType } from "../_util/peer.ts";
import { Channel, requestOf, requestTexts } from "../_util/pubsub_ends.ts";
import { GRID } from "../_util/traffic.ts";

type Ours = Router | Dealer | Pull | Push | XPublisher | XSubscriber | Publisher;

const ANY_PORT = "tcp://127.0.0.1:*";
const SPEC: MessageSpec = { ...GRID, count: 200, sizes: [0, 1, 255, 256, 9_000] };

describe("our proxy between libzmq's sockets", () => {
  let peer: Peer;
  const peers: Peer[] = [];
  const theirs: PeerSocket[] = [];
  const proxies: { proxy: Proxy; running: Promise<void> }[] = [];
  const ours: Ours[] = [];
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(async () => {
    await Promise.all(
      proxies.splice(0).map(({ proxy, running }) => {
        if (!proxy.frontEnd.closed) proxy.terminate();
        return within(running, 5_000, "end of a proxy");
      }),
    );
    await Promise.all(
      ours.splice(0).map((socket) => {
        socket.linger = 0;
        return socket.close();
      }),
    );
    await Promise.all(theirs.splice(0).map((socket) => socket.close()));
    await Promise.all(peers.splice(0).map((peer) => peer.stop()));
  });

  const open = async (type: PeerSocketType, options: PeerOptions = {}): Promise<PeerSocket> => {
    const socket = await peer.open(type, options);
    theirs.push(socket);
    return socket;
  };
  const add = <S extends Ours>(socket: S): S => {
    ours.push(socket);
    return socket;
  };
  /** Binds both ends and runs a proxy. */
  const run = async <F extends Ours, B extends Ours>(
    front: F,
    back: B,
    capture?: Ours,
  ): Promise<Proxy<F, B>> => {
    await front.bind(ANY_PORT);
    await back.bind(ANY_PORT);
    const proxy = new Proxy(add(front), add(back), capture);
    proxies.push({ proxy, running: proxy.run() });
    return proxy;
  };
  /** Joins libzmq's sockets to the two ends. */
  const join = async (
    { frontEnd, backEnd }: Proxy,
    fronts: readonly PeerSocket[],
    backs: readonly PeerSocket[],
  ): Promise<void> => {
    for (const socket of fronts) await socket.connect(frontEnd.lastEndpoint!);
    for (const socket of backs) await socket.connect(backEnd.lastEndpoint!);
  };

  for (const pubType of ["Publisher", "XPublisher"] as const) {
    for (const subType of ["Subscriber", "XSubscriber"] as const) {
      it(`XSUB-XPUB forwards topics from ${subType} and messages from ${pubType}`, async () => {
        const proxy = await run(new XSubscriber(), new XPublisher());
        const [pub, sub] = [await open(pubType), await open(subType)];
        await join(proxy, [pub], [sub]);
        await expectForwarding(new Channel(pub, sub));
      });
    }
  }

  it("XSUB-XPUB connects to libzmq's sockets too", async () => {
    const front = add(new XSubscriber());
    const back = add(new XPublisher());
    const [pub, sub] = [await open("Publisher"), await open("Subscriber")];
    await sub.subscribe("a");
    front.connect(await pub.bind());
    back.connect(await sub.bind());
    const proxy = new Proxy(front, back);
    proxies.push({ proxy, running: proxy.run() });
    const channel = new Channel(pub, sub);
    await channel.sync();
    assertEquals((await channel.deliver([["a"], ["b"]])).map(textsOf), [["a"]]);
  });

  it("XSUB-XPUB asks upstream for what somebody wants, and no longer", async () => {
    const proxy = await run(new XSubscriber(), new XPublisher());
    const pub = await open("XPublisher", { verbosity: "allSubsUnsubs" });
    const [a, b] = [await open("Subscriber"), await open("Subscriber")];
    await join(proxy, [pub], [a, b]);
    const steps: [() => Promise<void>, string[]][] = [
      [() => a.subscribe("x"), ["+x"]],
      [() => b.subscribe("x", "y"), ["+y"]],
      [() => a.unsubscribe("x"), []],
      [() => a.subscribe("z"), ["+z"]],
      [() => b.unsubscribe("x"), ["-x"]],
      [() => b.close(), ["-y"]],
    ];
    for (const [step, requests] of steps) {
      await step();
      for (const request of requests) {
        assertEquals(requestTexts([await pub.receive()]), [request]);
      }
    }
    theirs.splice(theirs.indexOf(b), 1);
  });

  it("PUBSUB-X-04: XSUB-XPUB passes everything on with verbosity at both ends", async () => {
    const verbosity = "allSubsUnsubs";
    const proxy = await run(new XSubscriber({ verbosity }), new XPublisher({ verbosity }));
    const pub = await open("XPublisher", { verbosity });
    const [a, b] = [await open("Subscriber"), await open("Subscriber")];
    await join(proxy, [pub], [a, b]);
    for (const sub of [a, b]) {
      await sub.subscribe("x");
      assertFrames(await pub.receive(), [requestOf(1, "x")]);
    }
    for (const sub of [a, b]) {
      await sub.unsubscribe("x");
      assertFrames(await pub.receive(), [requestOf(0, "x")]);
    }
  });

  it("XSUB-XPUB carries messages of XSUB upstream", async () => {
    const proxy = await run(new XSubscriber(), new XPublisher());
    const [pub, sub] = [await open("XPublisher"), await open("XSubscriber")];
    await join(proxy, [pub], [sub]);
    await sub.subscribe("x");
    assertFrames(await pub.receive(), [requestOf(1, "x")]);
    for (const message of [["up"], ["several", "", "frames"], [pattern(100_000)]]) {
      await sub.send(...message);
      assertFrames(await pub.receive(), message);
    }
  });

  it("XSUB-XPUB outlives publishers and subscribers that are killed", async () => {
    const proxy = await run(new XSubscriber(), new XPublisher());
    const pub = await open("XPublisher");
    await join(proxy, [pub], []);
    for (let generation = 0; generation < 3; generation++) {
      const mortal = startPeer();
      peers.push(mortal);
      const [sub, other] = [await mortal.open("Subscriber"), await mortal.open("Publisher")];
      await join(proxy, [other], [sub]);
      await sub.subscribe("x");
      assertEquals(await nextRequest(pub), "+x");
      await pub.send("x", "from pub");
      assertFrames(await sub.receive(), ["x", "from pub"]);
      await new Channel(other, sub).sync();
      await mortal.kill();
      assertEquals(await nextRequest(pub), "-x");
      await eventually(() => proxy.backEnd.topicsCount === 0);
    }
  });

  it("XSUB-XPUB subscribes at a publisher's successor", async () => {
    const proxy = await run(new XSubscriber(), new XPublisher());
    const sub = await open("Subscriber");
    await sub.subscribe("a", "b");
    await join(proxy, [], [sub]);
    await eventually(() => proxy.frontEnd.topicsCount === 2);
    for (let generation = 0; generation < 3; generation++) {
      const mortal = startPeer();
      peers.push(mortal);
      const pub = await mortal.open("XPublisher");
      await join(proxy, [pub], []);
      const requests = requestTexts([await pub.receive(), await pub.receive()]);
      assertEquals(requests.toSorted(), ["+a", "+b"]);
      await pub.sendEach([["a", "1"], ["c", "2"], ["b", "3"]]);
      assertFrames(await sub.receive(), ["a", "1"]);
      assertFrames(await sub.receive(), ["b", "3"]);
      await mortal.kill();
    }
  });

  it("ROUTER-DEALER carries requests and replies of many", async () => {
    const proxy = await run(new Router(), new Dealer());
    const clients = await Promise.all([0, 1, 2].map(() => open("Request")));
    const workers = await Promise.all([0, 1].map(() => open("Reply")));
    await join(proxy, clients, workers);
    for (const worker of workers) worker.echo(Number.MAX_SAFE_INTEGER).catch(() => {});
    await Promise.all(clients.map((client, seed) => client.exchange({ ...SPEC, seed })));
    const { frontEnd, backEnd } = proxy.statistics;
    assertEquals(
      [frontEnd.messagesIn, frontEnd.messagesOut, backEnd.messagesIn, backEnd.messagesOut],
      Array.from({ length: 4 }, () => clients.length * SPEC.count),
    );
  });

  it("ROUTER-DEALER moves every size and part count both ways", async () => {
    const proxy = await run(
      new Router({ sendHighWaterMark: 0 }),
      new Dealer({ sendHighWaterMark: 0 }),
    );
    const [client, worker] = [await open("Dealer"), await open("Router", { sendHighWaterMark: 0 })];
    await join(proxy, [client], [worker]);
    await Promise.all([client.sendMany(GRID), worker.echo(GRID.count), client.receiveMany(GRID)]);
  });

  it("PULL-PUSH moves everything in order", async () => {
    const proxy = await run(new Pull(), new Push());
    const [push, pull] = [await open("Push"), await open("Pull")];
    await join(proxy, [push], [pull]);
    const sending = push.sendSequence(0, 10_000, 100);
    assertEquals(await pull.receiveSequence(10_000), [[0, 9_999]]);
    await sending;
    await Promise.all([push.sendMany(GRID), pull.receiveMany(GRID)]);
    const { frontEnd, backEnd } = proxy.statistics;
    const octets = 10_000 * 100 + 38_890;
    assertGreater(frontEnd.bytesIn, octets);
    assertEquals([frontEnd.messagesIn, frontEnd.messagesOut], [10_000 + GRID.count, 0]);
    assertEquals([backEnd.messagesIn, backEnd.messagesOut], [0, 10_000 + GRID.count]);
    assertEquals(frontEnd.bytesIn, backEnd.bytesOut);
  });

  it("PULL-PUSH slows the producer down to the consumer, and loses nothing", async () => {
    const proxy = await run(
      new Pull({ receiveHighWaterMark: 10 }),
      new Push({ sendHighWaterMark: 10 }),
    );
    const push = await open("Push", { sendHighWaterMark: 10 });
    const pull = await open("Pull", { receiveHighWaterMark: 1 });
    await join(proxy, [push], [pull]);
    const sending = push.sendSequence(0, 5_000, 10_000);
    assertEquals(await pull.receiveSequence(1), [[0, 0]]);
    await staysPending(sending, 300, "sending 50 MB to a PULL that does not read");
    assertEquals(await pull.receiveSequence(4_999), [[1, 4_999]]);
    await sending;
  });

  it("is paused and resumed without a loss", async () => {
    const proxy = await run(new Pull(), new Push());
    const [push, pull] = [await open("Push"), await open("Pull")];
    await join(proxy, [push], [pull]);
    await push.sendSequence(0, 10);
    assertEquals(await pull.receiveSequence(10), [[0, 9]]);
    proxy.pause();
    await push.sendSequence(10, 100);
    const receiving = pull.receiveSequence(90);
    await staysPending(receiving, 100, "receiving behind a proxy that is paused");
    proxy.resume();
    assertEquals(await receiving, [[10, 99]]);
  });

  it("closes both sockets when it is terminated", async () => {
    const proxy = await run(new Pull(), new Push());
    const [push, pull] = [await open("Push"), await open("Pull")];
    await join(proxy, [push], [pull]);
    await push.send("x");
    assertFrames(await pull.receive(), ["x"]);
    proxy.terminate();
    await within(proxies[0].running, 1_000, "end of a proxy");
    await eventually(async () => (await push.events()).disconnect === 1);
    await eventually(async () => (await pull.events()).disconnect === 1);
  });

  it("gives a copy of every message to a capture", async () => {
    const capture = add(new Push());
    await capture.bind(ANY_PORT);
    const tap = await open("Pull");
    await tap.connect(capture.lastEndpoint!);
    const proxy = await run(new Router(), new Dealer(), capture);
    const [client, worker] = [await open("Request", { routingId: "me" }), await open("Reply")];
    await join(proxy, [client], [worker]);
    for (let i = 0; i < 50; i++) {
      await client.send(`question ${i}`);
      await worker.echo(1);
      await client.receive();
      assertFrames(await tap.receive(), ["me", "", `question ${i}`]);
      assertFrames(await tap.receive(), ["me", "", `question ${i}`]);
    }
  });

  it("shows subscriptions and messages to a capture that publishes", async () => {
    const capture = add(new Publisher());
    await capture.bind(ANY_PORT);
    const tap = await open("Subscriber");
    await tap.subscribe("");
    await tap.connect(capture.lastEndpoint!);
    await eventually(() => capture.topicsCount === 1);
    const proxy = await run(new XSubscriber(), new XPublisher(), capture);
    const [pub, sub] = [await open("XPublisher"), await open("Subscriber")];
    await join(proxy, [pub], [sub]);
    await sub.subscribe("x");
    assertFrames(await pub.receive(), [requestOf(1, "x")]);
    assertFrames(await tap.receive(), [requestOf(1, "x")]);
    await pub.send("x", pattern(50_000));
    assertFrames(await sub.receive(), ["x", pattern(50_000)]);
    assertFrames(await tap.receive(), ["x", pattern(50_000)]);
  });

  it("works in a chain with libzmq's", async () => {
    const [xsub, xpub] = [await peer.open("XSubscriber"), await peer.open("XPublisher")];
    const [pub, sub] = [await open("Publisher"), await open("Subscriber")];
    const front = add(new XSubscriber());
    const back = add(new XPublisher());
    await pub.connect(await xsub.bind());
    front.connect(await xpub.bind());
    await back.bind(ANY_PORT);
    await sub.connect(back.lastEndpoint!);
    const theirProxy = xsub.proxy(xpub);
    const proxy = new Proxy(front, back);
    proxies.push({ proxy, running: proxy.run() });
    await sub.subscribe("a");
    const channel = new Channel(pub, sub);
    await channel.sync();
    assertEquals((await channel.deliver([["a"], ["b"], ["ab"]])).flatMap(textsOf), ["a", "ab"]);
    await xsub.steer("terminate");
    await theirProxy;
  });
});

/** The next request that is not a channel's own. */
async function nextRequest(pub: PeerSocket): Promise<string> {
  for (;;) {
    const [text] = requestTexts([await pub.receive()]);
    if (text[1] !== "~") return text;
  }
}
