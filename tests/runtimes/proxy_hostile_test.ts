// Peers of a proxy that mean no good: what one of them sends harms neither the proxy nor the others.

import { assert, assertEquals, assertLess } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Proxy, Pull, Push, Router, Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { memory, memoryInUse } from "../_util/memory.ts";
import { concat } from "../_util/octets.ts";
import { boundPair, started } from "../_util/proxies.ts";
import { peers, subscribed, takeTexts } from "../_util/pubsub.ts";
import { type RawConnection, RawServer } from "../_util/raw_peer.ts";
import { cancelCommand, cancelMessage, subscribeCommand } from "../_util/raw_subscriptions.ts";
import { connectAs, frame, longHeader, message, shakeHands } from "../_util/raw_zmtp.ts";

const RECEIVES = { receiveTimeout: 10_000 } as const;
const MB = 1_000_000;
const cleanup = new Cleanup();

type Rules = NonNullable<
  & ConstructorParameters<typeof XSubscriber>[0]
  & ConstructorParameters<typeof XPublisher>[0]
>;

let front: XSubscriber;
let back: XPublisher;
let publisher: XPublisher;
let subscriber: Subscriber;
let count = 0;

async function openForwarder(options: Rules = {}): Promise<void> {
  [front, back] = await boundPair(
    cleanup,
    "tcp",
    new XSubscriber(options),
    new XPublisher(options),
  );
  started(cleanup, new Proxy(front, back));
  // A forwarder has the topics of all its subscribers.
  publisher = cleanup.add(new XPublisher({ ...options, maxSubscriptions: 0 }));
  void readAll(publisher);
  publisher.connect(front.lastEndpoint!);
  subscriber = cleanup.add(new Subscriber(RECEIVES));
  subscriber.connect(back.lastEndpoint!);
  subscriber.subscribe("healthy");
  await subscribed(publisher, 1);
  await exchange();
}

async function readAll(socket: XPublisher): Promise<void> {
  for await (const _ of socket);
}

/** One message comes through. */
async function exchange(): Promise<void> {
  const text = `healthy ${count++}`;
  await publisher.send([text, "tail"]);
  assertEquals(await takeTexts(subscriber), [text, "tail"]);
}

async function servedDuring(attack: Promise<unknown>): Promise<void> {
  let over = false;
  const settled = attack.finally(() => over = true);
  settled.catch(() => {}); // thrown below
  while (!over) {
    await exchange();
    await pause(1);
  }
  await settled;
  for (let i = 0; i < 10; i++) await exchange();
}

async function insider(): Promise<RawConnection> {
  return cleanup.add(await connectAs(back.lastEndpoint!, "SUB"));
}

/** Sends the chunks until the other side closes. */
async function flood(peer: RawConnection, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) {
    if (peer.isClosed) return;
    await Promise.race([peer.flush(chunk), peer.closed]);
  }
}

function topics(from: number, to: number): Uint8Array {
  return concat(
    ...Array.from({ length: to - from }, (_, i) => subscribeCommand(`topic ${from + i}`)),
  );
}

describe("a subscriber of a forwarder", () => {
  beforeEach(() => openForwarder());
  afterEach(() => cleanup.run());

  const tooLong = new Uint8Array(70_000).fill(1);
  const messages: Readonly<Record<string, Uint8Array>> = {
    "with a subscription too long among its frames": message("user", tooLong),
    "of one empty frame": message(""),
    "of thousands of frames": message(...Array.from({ length: 5_000 }, () => "x")),
    "of megabytes": message("user", new Uint8Array(3 * MB)),
    "that is not finished": frame("user", true),
    "whose body is announced only": longHeader(1_000_000n),
  };
  for (const [what, sent] of Object.entries(messages)) {
    it(`may send a message ${what}`, async () => {
      const peer = await insider();
      await servedDuring(flood(peer, [sent]));
      peer.destroy();
      await servedDuring(pause(5));
      await peers(back, 1);
      assertEquals(back.topicsCount, 1);
    });
  }

  for (const verbosity of [null, "allSubs", "allSubsUnsubs"] as const) {
    it(`may cancel what others have, and it never had: verbosity ${verbosity}`, async () => {
      back.verbosity = verbosity; // the front end counts
      const peer = await insider();
      for (const cancel of [cancelCommand, cancelMessage]) {
        await servedDuring(flood(peer, [cancel("healthy"), cancel(""), cancel("h")]));
      }
      peer.send(subscribeCommand("healthy"));
      await subscribed(back, 2);
      await exchange();
      peer.send(cancelCommand("healthy"), cancelCommand("healthy"));
      await subscribed(back, 1);
      await servedDuring(pause(20));
      assertEquals(publisher.topicsCount, 1);
    });
  }

  it("may hide requests among the frames of a message, unless only the first counts", async () => {
    await cleanup.run();
    await openForwarder({ onlyFirstSubscribe: true });
    const peer = await insider();
    await servedDuring(flood(peer, [message("user", "\0healthy", "\x01other"), message("", "\0")]));
    await servedDuring(pause(20));
    assertEquals([publisher.topicsCount, front.topicsCount, back.topicsCount], [1, 1, 1]);
  });

  it("may send what the other end refuses: it is dropped, and the proxy goes on", async () => {
    back.onlyFirstSubscribe = true; // the front end looks at all frames, and finds one too long
    const peer = await insider();
    await servedDuring(flood(peer, [message("user", tooLong)]));
    await servedDuring(pause(20));
  });

  it("that subscribes to a million topics is thrown out; nothing of it stays upstream", async () => {
    const peer = await insider();
    await servedDuring((async () => {
      for (let i = 0; i < 100 && !peer.isClosed; i++) {
        await flood(peer, [topics(i * 10_000, (i + 1) * 10_000)]);
      }
      await peer.untilClosed();
    })());
    await peers(back, 1);
    await subscribed(publisher, 1);
    assertEquals([front.topicsCount, publisher.topicsCount], [1, 1]);
  });

  it("that comes and goes with thousands of topics costs nothing in the end", async () => {
    for (let round = 0; round < 20; round++) {
      const peer = await insider();
      await flood(peer, [topics(0, 2_000)]);
      await subscribed(publisher, 2_001);
      peer.destroy();
      await subscribed(publisher, 1);
      await exchange();
    }
    assertEquals(front.topicsCount, 1);
  });

  it("that wavers for ever is served, and does not fill the memory", async () => {
    const peer = await insider();
    const chunk = concat(
      ...Array.from({ length: 2_000 }, (_, i) => [
        subscribeCommand(`come and go ${i}`),
        cancelCommand(`come and go ${i}`),
      ]).flat(),
    );
    const chunks = Array.from({ length: 50 }, () => chunk);
    await flood(peer, chunks);
    const before = memoryInUse();
    await servedDuring(flood(peer, chunks));
    assertLess(memoryInUse() - before, 50 * MB);
    peer.destroy();
    await subscribed(publisher, 1);
  });
});

describe("a publisher of a forwarder", () => {
  beforeEach(() => openForwarder());
  afterEach(() => cleanup.run());

  it("that reads none of the topics does not keep them from the others", async () => {
    const server = cleanup.add(await RawServer.listen());
    front.connect(server.endpoint);
    const deaf = await server.accept();
    await shakeHands(deaf, "PUB");
    deaf.pause();
    const peer = await insider();
    const before = memory();
    for (let round = 0; round < 5; round++) {
      await servedDuring(flood(peer, [topics(round * 10_000, (round + 1) * 10_000)]));
    }
    await subscribed(publisher, 50_001);
    assertLess(memory() - before, 150 * MB);
    peer.destroy();
    await subscribed(publisher, 1);
  });

  it("that sends what nobody asked for, or breaks off, does not disturb", async () => {
    const peer = cleanup.add(await connectAs(front.lastEndpoint!, "PUB"));
    const junk = concat(...Array.from({ length: 1_000 }, () => message("junk", "x".repeat(900))));
    await servedDuring(flood(peer, Array.from({ length: 20 }, () => junk)));
    await peer.flush(frame("healthy half", true));
    peer.destroy();
    await servedDuring(pause(10));
  });
});

describe("a client of a queue", () => {
  afterEach(() => cleanup.run());

  it("may send anything to a ROUTER or an XSUB behind a PULL; the proxy goes on", async () => {
    const behind = [
      () => new Router(),
      () => new Router({ mandatory: true }),
      () => new XSubscriber(),
    ];
    for (const open of behind) {
      const [pull, other] = await boundPair(cleanup, "tcp", new Pull(), open());
      const { proxy, run } = started(cleanup, new Proxy<Pull, Router | XSubscriber>(pull, other));
      const witness = cleanup.add(
        await connectAs(
          other.lastEndpoint!,
          other instanceof XSubscriber ? "XPUB" : "DEALER",
          "witness",
        ),
      );
      // A ROUTER with mandatory waits for its first peer.
      await eventually(() => other.writable);
      const push = cleanup.add(new Push());
      push.connect(pull.lastEndpoint!);
      const long = new Uint8Array(70_000).fill(1);
      const odd = ["single", ["", "x"], ["nobody", "x"], new Uint8Array(300), long, ["user", long]];
      for (const each of odd) await push.send(each);
      await push.send(["witness", "here"]);
      await eventually(() => proxy.statistics.frontEnd.messagesIn === odd.length + 1);
      await eventually(() => witness.available > 0);
      let over = false;
      void run.finally(() => over = true);
      await pause(5);
      assert(!over);
    }
  });
});
