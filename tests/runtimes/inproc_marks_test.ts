// High-water marks of inproc: what one end may send and what the other may hold are one queue, as long as both together.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Pair, Publisher, Pull, Push, Router, Subscriber } from "../../mod.ts";
import { anywhere } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { numbers, takeMany } from "../_util/pubsub.ts";
import { rejection } from "../_util/rejection.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
/** So many messages are any number. */
const MANY = 5_000;
const cleanup = new Cleanup();

interface Sending {
  sendTimeout: number;
  send(message: string | string[]): Promise<void>;
}

/** How many messages the socket takes without waiting; they are numbered from `from` on. */
async function fit(socket: Sending, from = 0, head: string[] = []): Promise<number> {
  socket.sendTimeout = 0;
  for (let count = 0; count < MANY; count++) {
    const taken = await socket.send([...head, String(from + count)])
      .then(() => true, (error) => error.code !== "EAGAIN");
    if (!taken) return count;
  }
  return Infinity;
}

function texts(from: number, to: number): string[] {
  return numbers(to).slice(from);
}

const MARKS = [[1, 1], [2, 3], [100, 1], [1, 100], [1_000, 1_000], [0, 5], [5, 0], [0, 0]] as const;
const ORDERS = [
  "the sender is bound",
  "the receiver is bound",
  "the bound one comes last",
] as const;

describe("over inproc, the marks of both ends", () => {
  afterEach(() => cleanup.run());

  for (const [send, receive] of MARKS) {
    for (const order of ORDERS) {
      const both = send === 0 || receive === 0 ? Infinity : send + receive;
      it(`${send} and ${receive} let ${both} messages wait when ${order}`, async () => {
        const name = anywhere("inproc");
        const push = cleanup.add(new Push({ sendHighWaterMark: send }));
        const pull = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: receive }));
        if (order === "the sender is bound") {
          await push.bind(name);
          pull.connect(name);
        } else if (order === "the receiver is bound") {
          await pull.bind(name);
          push.connect(name);
        } else {
          push.connect(name);
          await pull.bind(name);
        }
        assertEquals(await fit(push), both);
        assertEquals(push.writable, both === Infinity);
        const count = Math.min(both, MANY);
        assertEquals(await takeMany(pull, count), numbers(count));
        assertEquals(await fit(push), both, "and so many again");
      });
    }

    it(`${send} alone counts until a peer with ${receive} comes`, async () => {
      const name = anywhere("inproc");
      const push = cleanup.add(new Push({ sendHighWaterMark: send, linger: 0 }));
      push.connect(name);
      const alone = send || Infinity;
      assertEquals(await fit(push), alone);
      const before = Math.min(alone, MANY);
      const pull = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: receive }));
      await pull.bind(name);
      const more = await fit(push, before);
      assertEquals(more, send === 0 || receive === 0 ? Infinity : receive);
      assertEquals(await takeMany(pull, before), numbers(before));
      const rest = Math.min(more, MANY);
      assertEquals(await takeMany(pull, rest), texts(before, before + rest));
    });
  }

  it("are there again for the next peer when the bound one has gone", async () => {
    const name = anywhere("inproc");
    const push = cleanup.add(new Push({ sendHighWaterMark: 5, linger: 0 }));
    push.connect(name);
    for (let round = 0; round < 3; round++) {
      const pull = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 3 }));
      await pull.bind(name);
      assertEquals(await fit(push), 8);
      assertEquals(await takeMany(pull, 8), numbers(8));
      await pull.close();
      assertEquals(await fit(push), 5);
      const next = cleanup.add(new Pull(RECEIVES));
      await next.bind(name);
      assertEquals(await takeMany(next, 5), numbers(5));
      await next.close();
    }
  });

  it("hold what a sender that is closed has sent", async () => {
    for (const boundFirst of [true, false]) {
      const name = anywhere("inproc");
      const pull = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 4 }));
      const push = cleanup.add(new Push({ sendHighWaterMark: 3 }));
      if (boundFirst) await pull.bind(name);
      push.connect(name);
      const count = await fit(push);
      assertEquals(count, boundFirst ? 7 : 3);
      const closing = push.close();
      if (!boundFirst) await pull.bind(name);
      await within(closing, 1_000, "close");
      assertEquals(await takeMany(pull, count), numbers(count));
    }
  });

  it("count each direction, and each peer, apart", async () => {
    const name = anywhere("inproc");
    const [one, two] = [1, 2].map(() =>
      cleanup.add(new Pair({ ...RECEIVES, sendHighWaterMark: 2, receiveHighWaterMark: 3 }))
    );
    await one.bind(name);
    two.connect(name);
    assertEquals([await fit(one), await fit(two)], [5, 5]);
    assertEquals([await takeMany(one, 5), await takeMany(two, 5)], [numbers(5), numbers(5)]);

    const crowd = anywhere("inproc");
    const push = cleanup.add(new Push({ sendHighWaterMark: 2 }));
    await push.bind(crowd);
    for (const receiveHighWaterMark of [1, 2, 3]) {
      cleanup.add(new Pull({ receiveHighWaterMark })).connect(crowd);
    }
    assertEquals(await fit(push), 3 * 2 + 1 + 2 + 3);
  });

  it("let a send that waits go on when there is room", async () => {
    const name = anywhere("inproc");
    const pull = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 2 }));
    await pull.bind(name);
    const push = cleanup.add(new Push({ sendHighWaterMark: 2 }));
    push.connect(name);
    assertEquals(await fit(push), 4);
    push.sendTimeout = 5_000;
    const sends = [4, 5, 6].map((i) => push.send(String(i)));
    await staysPending(Promise.race(sends), 20, "a send to a full peer");
    assertEquals(await takeMany(pull, 7), numbers(7));
    await Promise.all(sends);
  });

  it("keep a sender that is faster within them, and lose nothing", async () => {
    const name = anywhere("inproc");
    const pull = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 3 }));
    await pull.bind(name);
    const push = cleanup.add(new Push({ sendHighWaterMark: 4 }));
    push.connect(name);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 2_000; sent++) await push.send(String(sent));
    })();
    for (let received = 0; received < 2_000; received++) {
      assertEquals(String((await pull.receive())[0]), String(received));
      assert(sent - received <= 8, `${sent} sent, ${received} received`);
    }
    await sending;
  });

  it("may be changed while they are in use", async () => {
    const name = anywhere("inproc");
    const pull = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 2 }));
    await pull.bind(name);
    const push = cleanup.add(new Push({ sendHighWaterMark: 2 }));
    push.connect(name);
    for (const [send, receive] of [[5, 2], [5, 4], [1, 4], [1, 1], [3, 2]]) {
      await push.send("0");
      push.sendHighWaterMark = send;
      pull.receiveHighWaterMark = receive;
      assertEquals(await fit(push, 1), send + receive - 1);
      assertEquals(await takeMany(pull, send + receive), numbers(send + receive));
      push.sendTimeout = 5_000;
    }
  });
});

describe("over inproc, a full peer", () => {
  afterEach(() => cleanup.run());

  it("of a ROUTER is passed over, or waited for with mandatory", async () => {
    const name = anywhere("inproc");
    const router = cleanup.add(new Router({ ...RECEIVES, sendHighWaterMark: 2 }));
    await router.bind(name);
    const options = { ...RECEIVES, routingId: "d", receiveHighWaterMark: 3 };
    const dealer = cleanup.add(new Dealer(options));
    dealer.connect(name);
    for (const text of numbers(20)) await router.send(["d", text]);
    assertEquals(await takeMany(dealer, 5), numbers(5));
    assert(!dealer.readable);
    router.mandatory = true;
    assertEquals(await fit(router, 0, ["d"]), 5);
    router.sendTimeout = 5_000;
    const sending = router.send(["d", "5"]);
    await staysPending(sending, 20, "a send to a full peer");
    assertEquals(await takeMany(dealer, 6), numbers(6));
    await sending;
    await rejection(router.send(["nobody", "x"]), "EHOSTUNREACH");
  });

  it("of a Publisher costs it messages, which are counted; noDrop waits instead", async () => {
    const name = anywhere("inproc");
    const publisher = cleanup.add(new Publisher({ sendHighWaterMark: 4 }));
    await publisher.bind(name);
    const slow = cleanup.add(new Subscriber({ ...RECEIVES, receiveHighWaterMark: 3 }));
    const quick = cleanup.add(new Subscriber({ ...RECEIVES, receiveHighWaterMark: 3 }));
    for (const subscriber of [slow, quick]) {
      subscriber.connect(name);
      subscriber.subscribe("");
    }
    for (const text of numbers(20)) {
      await publisher.send(text);
      assertEquals(String(await quick.receive()), text);
    }
    assertEquals(publisher.stats().dropped, 13);
    assertEquals(await takeMany(slow, 7), numbers(7));
    assert(!slow.readable);
    publisher.noDrop = true;
    const reading = takeMany(quick, 8);
    assertEquals(await fit(publisher), 7);
    publisher.sendTimeout = 5_000;
    const sending = publisher.send("7");
    await staysPending(sending, 20, "a send to a full subscriber");
    assertEquals(await takeMany(slow, 8), numbers(8));
    await sending;
    assertEquals(await reading, numbers(8));
    assertEquals(publisher.stats().dropped, 13);
  });

  it("of a Publisher with a mark of 0, on either side, is never full", async () => {
    const name = anywhere("inproc");
    const publisher = cleanup.add(new Publisher({ sendHighWaterMark: 1 }));
    await publisher.bind(name);
    const endless = cleanup.add(new Subscriber({ ...RECEIVES, receiveHighWaterMark: 0 }));
    endless.connect(name);
    endless.subscribe("");
    for (const text of numbers(3_000)) await publisher.send(text);
    assertEquals(publisher.stats().dropped, 0);
    assertEquals(await takeMany(endless, 3_000), numbers(3_000));
    await eventually(() => !endless.readable);
  });
});
