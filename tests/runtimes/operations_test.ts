// Sends and receives that wait: their order, timeouts, cancellation, iteration, and what close does.

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Dealer, Frame, Pull, Push, Reply, Request, ZmqError } from "../../mod.ts";
import { ALL_TRANSPORTS, anywhere, type Transport } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause, staysPending, within } from "../_util/deadline.ts";
import { assertSays, rejection } from "../_util/rejection.ts";
import { describeOver, nowhere } from "../_util/transports.ts";

const SHORT_MS = 40;
const cleanup = new Cleanup();

/** A PUSH connected to a PULL. */
async function pipeline(
  transport: Transport,
  options: ConstructorParameters<typeof Pull>[0] = {},
): Promise<[Push, Pull]> {
  const pull = cleanup.add(new Pull(options));
  await pull.bind(anywhere(transport));
  const push = cleanup.add(new Push());
  push.connect(pull.lastEndpoint!);
  return [push, pull];
}

/** The texts of the first frames of the next messages. */
async function take(pull: Pull, count: number): Promise<string[]> {
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const [first] = await within(pull.receive(), 5_000, `message ${i} of ${count}`);
    texts.push(String(first));
  }
  return texts;
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(from + i));
}

describeOver(ALL_TRANSPORTS, "operations that wait", (transport) => {
  afterEach(() => cleanup.run());

  it("receive in the order of their calls", async () => {
    const [push, pull] = await pipeline(transport);
    const receives = Array.from({ length: 20 }, () => pull.receive());
    for (const text of numbers(0, 20)) await push.send(text);
    const messages = await within(Promise.all(receives), 5_000, "all receives");
    assertEquals(messages.map(([frame]) => String(frame)), numbers(0, 20));
  });

  it("send in the order of their calls", async () => {
    const [push, pull] = await pipeline(transport);
    const sends = numbers(0, 5_000).map((text) => push.send(text));
    assertEquals(await take(pull, 5_000), numbers(0, 5_000));
    await within(Promise.all(sends), 5_000, "all sends");
  });

  it("send in order when there is no peer at first", async () => {
    const push = cleanup.add(new Push());
    const sends = numbers(0, 50).map((text) => push.send(text));
    await staysPending(Promise.race(sends), SHORT_MS, "a send without a peer");
    const pull = cleanup.add(new Pull());
    await pull.bind(anywhere(transport));
    push.connect(pull.lastEndpoint!);
    assertEquals(await take(pull, 50), numbers(0, 50));
    await within(Promise.all(sends), 5_000, "all sends");
  });

  it("receive and send at the same time", async () => {
    const one = cleanup.add(new Dealer());
    const two = cleanup.add(new Dealer());
    await one.bind(anywhere(transport));
    two.connect(one.lastEndpoint!);
    const receives = [one.receive(), two.receive(), two.receive()];
    const sends = [one.send("a"), two.send("b"), one.send("c")];
    await within(Promise.all(sends), 5_000, "all sends");
    const messages = await within(Promise.all(receives), 5_000, "all receives");
    assertEquals(messages.map(([frame]) => String(frame)), ["b", "a", "c"]);
  });

  it("end one by one with EAGAIN after sendTimeout and receiveTimeout", async () => {
    const [push, pull] = await pipeline(transport);
    const idle = cleanup.add(new Push({ sendTimeout: SHORT_MS }));
    pull.receiveTimeout = SHORT_MS;
    const start = performance.now();
    for (const operation of [pull.receive(), pull.receive(), idle.send("x")]) {
      const error = await rejection(operation, "EAGAIN");
      assert(error instanceof ZmqError);
      assertSays(error, "within 40 ms");
      assertEquals(error.errno, 11);
    }
    const took = performance.now() - start;
    assert(took >= SHORT_MS - 5 && took < 1_000, `${took} ms`);
    pull.receiveTimeout = 5_000;
    await push.send("after");
    assertEquals(await take(pull, 1), ["after"]);
  });

  it("leave no message behind that timed out", async () => {
    const push = cleanup.add(new Push({ sendTimeout: SHORT_MS }));
    await rejection(push.send("late"), "EAGAIN");
    const pull = cleanup.add(new Pull());
    await pull.bind(anywhere(transport));
    push.connect(pull.lastEndpoint!);
    push.sendTimeout = 5_000;
    await push.send("in time");
    assertEquals(await take(pull, 1), ["in time"]);
  });

  it("do not wait at all with a timeout of 0, but take what is there", async () => {
    const [push, pull] = await pipeline(transport);
    pull.receiveTimeout = 0;
    const start = performance.now();
    await rejection(pull.receive(), "EAGAIN");
    await rejection(cleanup.add(new Push({ sendTimeout: 0 })).send("x"), "EAGAIN");
    assert(performance.now() - start < 500);
    push.sendTimeout = 0;
    await push.send("there");
    await eventually(() => pull.readable);
    assertEquals(await take(pull, 1), ["there"]);
  });

  it("find every message that is there with a timeout of 0", async () => {
    const [push, pull] = await pipeline(transport, { receiveHighWaterMark: 0 });
    const count = 40_000;
    for (let i = 0; i < count; i++) await push.send("x");
    pull.receiveTimeout = 0;
    let received = 0;
    await eventually(
      async () => {
        while (pull.readable) {
          await pull.receive();
          received++;
        }
        return received === count;
      },
      10_000,
    );
  });

  it("take a changed timeout from the next call on", async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    const patient = pull.receive();
    pull.receiveTimeout = 0;
    await rejection(pull.receive(), "EAGAIN");
    pull.receiveTimeout = -1;
    const endless = pull.receive();
    await staysPending(Promise.race([patient, endless]), SHORT_MS, "receives");
    const closing = pull.close();
    await rejection(patient, "EAGAIN");
    await rejection(endless, "EAGAIN");
    await closing;
  });
});

describeOver(ALL_TRANSPORTS, "an AbortSignal", (transport) => {
  afterEach(() => cleanup.run());

  it("that was aborted before stops an operation from starting", async () => {
    const [push, pull] = await pipeline(transport);
    const reason = new Error("no more");
    const signal = AbortSignal.abort(reason);
    assertStrictEquals(await caught(push.send("never", { signal })), reason);
    await push.send("first");
    await eventually(() => pull.readable);
    assertStrictEquals(await caught(pull.receive({ signal })), reason);
    assertEquals(await take(pull, 1), ["first"]);
  });

  it("ends a waiting operation with its reason, and the others go on", async () => {
    const [push, pull] = await pipeline(transport);
    const abort = new AbortController();
    const receives = [
      pull.receive(),
      pull.receive({ signal: abort.signal }),
      pull.receive({ signal: new AbortController().signal }),
    ];
    const outcome = caught(receives[1]);
    abort.abort("enough");
    assertEquals(await outcome, "enough");
    await push.send("1");
    await push.send("2");
    assertFrames(await receives[0], ["1"]);
    assertFrames(await receives[2], ["2"]);
  });

  it("without a reason gives an AbortError", async () => {
    const pull = cleanup.add(new Pull());
    const abort = new AbortController();
    const outcome = caught(pull.receive({ signal: abort.signal }));
    abort.abort();
    assertEquals((await outcome as Error).name, "AbortError");
    const late = await caught(pull.receive({ signal: AbortSignal.timeout(SHORT_MS) }));
    assertEquals((late as Error).name, "TimeoutError");
  });

  it("takes a waiting message back that no peer has got yet", async () => {
    const push = cleanup.add(new Push());
    const abort = new AbortController();
    const sends = [push.send("1"), push.send("2", abort), push.send("3")];
    const outcome = caught(sends[1]);
    abort.abort("enough");
    assertEquals(await outcome, "enough");
    const pull = cleanup.add(new Pull());
    await pull.bind(anywhere(transport));
    push.connect(pull.lastEndpoint!);
    assertEquals(await take(pull, 2), ["1", "3"]);
  });

  it("loses no message however often a receive is cancelled", async () => {
    const [push, pull] = await pipeline(transport);
    const count = 3_000;
    const sending = (async () => {
      for (let i = 0; i < count; i++) {
        await push.send(String(i));
        if (i % 50 === 0) await pause(0);
      }
    })();
    const received: string[] = [];
    for (let round = 0; received.length < count; round++) {
      const abort = new AbortController();
      const receiving = pull.receive(abort);
      if (round % 3 === 0) void Promise.resolve().then(() => abort.abort("cancelled"));
      else if (round % 3 === 1) setTimeout(() => abort.abort("cancelled"), 0);
      else setTimeout(() => abort.abort("cancelled"), 1_000);
      try {
        received.push(String((await receiving)[0]));
      } catch (error) {
        assertEquals(error, "cancelled");
      }
    }
    await sending;
    assertEquals(received, numbers(0, count));
  });

  it("that is aborted later does nothing to an operation that is over", async () => {
    const [push, pull] = await pipeline(transport);
    const abort = new AbortController();
    await push.send("x", abort);
    assertFrames(await pull.receive(abort), ["x"]);
    abort.abort();
    await push.send("y");
    assertEquals(await take(pull, 1), ["y"]);
  });
});

describeOver(ALL_TRANSPORTS, "iterating a socket", (transport) => {
  afterEach(() => cleanup.run());

  it("gives the messages in order, ends when the loop is left, and leaves the socket open", async () => {
    const [push, pull] = await pipeline(transport);
    for (const text of numbers(0, 10)) await push.send(text);
    const texts: string[] = [];
    for await (const [frame] of pull) {
      assert(frame instanceof Frame);
      texts.push(String(frame));
      if (texts.length === 4) break;
    }
    assertEquals(pull.closed, false);
    for await (const [frame] of pull) {
      texts.push(String(frame));
      if (texts.length === 7) break;
    }
    texts.push(...await take(pull, 3));
    assertEquals(texts, numbers(0, 10));
  });

  it("waits for messages that come later", async () => {
    const [push, pull] = await pipeline(transport);
    const texts: string[] = [];
    const loop = (async () => {
      for await (const [frame] of pull) if (texts.push(String(frame)) === 5) return;
    })();
    for (const text of numbers(0, 5)) {
      await push.send(text);
      await pause(2);
    }
    await within(loop, 5_000, "loop");
    assertEquals(texts, numbers(0, 5));
  });

  it("ends when the socket is closed, while it waits and while it does not", async () => {
    const [push, pull] = await pipeline(transport);
    const texts: string[] = [];
    const loop = (async () => {
      for await (const [frame] of pull) texts.push(String(frame));
    })();
    await push.send("a");
    await eventually(() => texts.length === 1);
    await pull.close();
    await within(loop, 5_000, "loop ends");
    for await (const _ of pull) throw new Error("a closed socket has no messages");

    const [again, other] = await pipeline(transport);
    await again.send("b");
    await again.send("c");
    for await (const _ of other) void other.close();
    assertEquals(texts, ["a"]);
  });

  it("ends when an error is thrown inside, and the next message is still there", async () => {
    const [push, pull] = await pipeline(transport);
    await push.send("1");
    await push.send("2");
    await assertRejects(
      async () => {
        for await (const [frame] of pull) throw new Error(String(frame));
      },
      Error,
      "1",
    );
    assertEquals(await take(pull, 1), ["2"]);
  });

  it("by hand: return() ends the iterator, and next() then says so", async () => {
    const [push, pull] = await pipeline(transport);
    const messages = pull[Symbol.asyncIterator]();
    assertStrictEquals(messages[Symbol.asyncIterator](), messages);
    await push.send("1");
    await push.send("2");
    const { value } = await messages.next();
    assertFrames(value, ["1"]);
    assertEquals(await messages.return!(), { value: undefined, done: true });
    assertEquals(await messages.next(), { value: undefined, done: true });
    assertEquals(await take(pull, 1), ["2"]);
  });

  it("by hand: several next() at once are served in order", async () => {
    const [push, pull] = await pipeline(transport);
    const messages = pull[Symbol.asyncIterator]();
    const three = [messages.next(), messages.next(), messages.next()];
    for (const text of numbers(0, 3)) await push.send(text);
    const results = await within(Promise.all(three), 5_000, "all three");
    assertEquals(results.map(({ value, done }) => [String(value![0]), done]), [
      ...numbers(0, 3).map((text) => [text, false]),
    ]);
  });

  it("throws what receive would throw: a timeout, or a wrong turn", async () => {
    const pull = cleanup.add(new Pull({ receiveTimeout: SHORT_MS }));
    await rejection(pull[Symbol.asyncIterator]().next(), "EAGAIN");
    const request = cleanup.add(new Request());
    await rejection(request[Symbol.asyncIterator]().next(), "EFSM");
  });

  it("serves a Reply: receive, then send, in a loop", async () => {
    const reply = cleanup.add(new Reply());
    await reply.bind(anywhere(transport));
    const serving = (async () => {
      for await (const [name] of reply) await reply.send(`hello ${name}`);
    })();
    const request = cleanup.add(new Request());
    request.connect(reply.lastEndpoint!);
    for (const name of ["a", "b", "c"]) {
      await request.send(name);
      assertFrames(await within(request.receive(), 5_000, "a reply"), [`hello ${name}`]);
    }
    await reply.close();
    await within(serving, 5_000, "the loop ends");
  });
});

describeOver(ALL_TRANSPORTS, "close()", (transport) => {
  afterEach(() => cleanup.run());

  it("ends pending operations with EAGAIN", async () => {
    const pull = cleanup.add(new Pull());
    const push = cleanup.add(new Push());
    const pending = [pull.receive(), pull.receive(), push.send("x"), push.send("y")];
    const outcomes = pending.map((operation) => rejection(operation, "EAGAIN"));
    await Promise.all([pull.close(), push.close()]);
    for (const error of await Promise.all(outcomes)) assertSays(error, "closed");
  });

  it("may come right after connect, bind or send", async () => {
    const pull = cleanup.add(new Pull());
    const binding = pull.bind(anywhere(transport));
    const outcome = binding.then(() => "bound", (error) => error.code);
    await within(pull.close(), 5_000, "close during bind");
    // A name of inproc is bound before bind returns.
    assertEquals(await outcome, transport === "inproc" ? "bound" : "EBADF");

    const push = cleanup.add(new Push());
    push.connect(nowhere(transport));
    await within(push.close(), 5_000, "close after connect");
  });

  it("delivers what was accepted, however much it is", async () => {
    const [push, pull] = await pipeline(transport);
    const count = 10_000;
    const receiving = take(pull, count);
    for (let i = 0; i < count; i++) await push.send(String(i));
    await within(push.close(), 10_000, "close");
    assertEquals(await receiving, numbers(0, count));
  });

  it("of one socket leaves others of the context alone", async () => {
    const [push, pull] = await pipeline(transport);
    await push.send("1");
    assertEquals(await take(pull, 1), ["1"]);
    const [other] = await pipeline(transport);
    await other.close();
    await push.send("2");
    assertEquals(await take(pull, 1), ["2"]);
  });

  it("may be called inside a receive's continuation", async () => {
    const [push, pull] = await pipeline(transport);
    const receives = [pull.receive(), pull.receive()];
    const closing = receives[0].then(() => pull.close());
    const outcome = rejection(receives[1], "EAGAIN");
    await push.send("x");
    await within(closing, 5_000, "close");
    await outcome;
  });
});

function caught(promise: Promise<unknown>): Promise<unknown> {
  return within(
    promise.then(() => "nothing was thrown", (error: unknown) => error),
    5_000,
    "a rejection",
  );
}
