// The end of a Context: what it interrupts, what it still waits for, and what is left.

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertStrictEquals,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Context,
  Dealer,
  Pair,
  poll,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
} from "../../mod.ts";
import { textsOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { ANY_PORT, freeEndpoint } from "../_util/ports.ts";
import { dial } from "../_util/raw_peer.ts";
import { failure, rejection } from "../_util/rejection.ts";

const cleanup = new Cleanup();
const SOON_MS = 3_000;

function soon<T>(promise: Promise<T>): Promise<T> {
  return within(promise, SOON_MS, "the end of the context");
}

describe("terminate()", () => {
  afterEach(() => cleanup.run());

  it("of a context without sockets is over at once", async () => {
    const context = new Context();
    assertEquals(context.closed, false);
    const ending = context.terminate();
    assertEquals(context.closed, true);
    await soon(ending);
  });

  it("may be called again, and answers the same", async () => {
    const context = new Context();
    new Push({ context });
    const ending = context.terminate();
    assertStrictEquals(context.terminate(), ending);
    await soon(ending);
    await soon(context.terminate());
  });

  it("by Symbol.asyncDispose is the same", async () => {
    const context = new Context();
    const pull = new Pull({ context });
    const receiving = rejection(pull.receive(), "ETERM");
    await soon(context[Symbol.asyncDispose]());
    await receiving;
    assertEquals([context.closed, pull.closed], [true, true]);
  });

  it("ends every receive that waits with ETERM", async () => {
    const context = new Context();
    const sockets = [Pull, Pair, Dealer, Router, Reply, Subscriber].map((type) =>
      new type({ context })
    );
    for (const socket of sockets) await socket.bind(ANY_PORT);
    const waiting = sockets.map((socket) => socket.receive());
    waiting.push(sockets[0].receive(), sockets[1].receive());
    const rejections = waiting.map((receiving) => rejection(receiving, "ETERM"));
    await soon(context.terminate());
    for (const error of await Promise.all(rejections)) {
      assertEquals(error.errno, 156384765);
    }
  });

  it("ends every send that waits with ETERM", async () => {
    const context = new Context();
    const sockets = [Push, Dealer, Pair, Request].map((type) => new type({ context }));
    for (const socket of sockets) await socket.bind(ANY_PORT);
    const waiting = sockets.map((socket) => socket.send("nobody is there"));
    waiting.push(sockets[0].send("nor now"), sockets[1].send("nor now"));
    const rejections = waiting.map((sending) => rejection(sending, "ETERM"));
    await soon(context.terminate());
    await Promise.all(rejections);
  });

  it("ends a poll that waits with ETERM", async () => {
    const context = new Context();
    const pull = new Pull({ context });
    const polling = rejection(poll([pull]), "ETERM");
    await soon(context.terminate());
    await polling;
  });

  it("ends iterations in peace, as the close of a socket does, and the one over events with its end", async () => {
    const context = new Context();
    const pull = new Pull({ context });
    const log = new EventLog(pull);
    await pull.bind(ANY_PORT);
    const iterating = (async () => {
      for await (const frames of pull) throw new Error(`received ${frames}`);
    })();
    const ended = iterating.then(() => "in peace", (error) => error.code);
    await soon(context.terminate());
    assertEquals(await soon(ended), "in peace");
    assertEquals(log.types.at(-1), "end");
  });

  it("closes all of its sockets, whatever they are doing", async () => {
    const context = new Context();
    const pull = new Pull({ context });
    await pull.bind(ANY_PORT);
    const endpoint = pull.lastEndpoint!;
    const connected = new Push({ context });
    connected.connect(endpoint);
    await connected.send("x");
    assertEquals(textsOf(await pull.receive()), ["x"]);
    const connecting = new Push({ context, linger: 0 });
    connecting.connect(await freeEndpoint());
    const binding = new Pull({ context });
    const bound = binding.bind(ANY_PORT).then(() => "bound", (error) => error.code);
    const idle = new Publisher({ context });
    await soon(context.terminate());
    for (const socket of [pull, connected, connecting, binding, idle]) assert(socket.closed);
    assertEquals(await soon(bound), "EBADF");
    await dial(endpoint).then(
      () => Promise.reject(new Error("somebody still listens")),
      () => {}, // refused, as it should be
    );
  });

  it("leaves no use for its sockets: EBADF", async () => {
    const context = new Context();
    const dealer = new Dealer({ context });
    await dealer.bind(ANY_PORT);
    const endpoint = dealer.lastEndpoint!;
    await soon(context.terminate());
    await rejection(dealer.send("x"), "EBADF");
    await rejection(dealer.receive(), "EBADF");
    await rejection(dealer.bind(ANY_PORT), "EBADF");
    failure(() => dealer.connect(endpoint), "EBADF");
    failure(() => dealer.bindSync(ANY_PORT), "EBADF");
    await rejection(poll([dealer]), "ETERM");
    assertEquals([dealer.readable, dealer.writable], [false, false]);
    await soon(dealer.close());
  });

  it("leaves no room for new sockets: EFAULT, from the call on", async () => {
    const context = new Context();
    const push = new Push({ context, linger: 200 });
    push.connect(await freeEndpoint());
    await push.send("waits");
    const ending = context.terminate();
    for (const type of [Push, Pull, Request]) {
      const error = failure(() => new type({ context }), "EFAULT");
      assertEquals(error.errno, 14);
    }
    await soon(ending);
    failure(() => new Push({ context }), "EFAULT");
  });

  it("leaves its options readable", async () => {
    const context = new Context({ maxSockets: 5, blocky: false });
    await soon(context.terminate());
    assertEquals([context.maxSockets, context.blocky, context.closed], [5, false, true]);
  });
});

describe("terminate() and linger", () => {
  afterEach(() => cleanup.run());

  /** A context with a socket that has something to send to nobody. */
  async function waiting(options: object): Promise<[Context, string]> {
    const context = new Context();
    const push = new Push({ context, reconnectInterval: 10, ...options });
    const endpoint = await freeEndpoint();
    push.connect(endpoint);
    await push.send("waits");
    return [context, endpoint];
  }

  it("of 0 drops what waits", async () => {
    const [context, endpoint] = await waiting({ linger: 0 });
    await soon(context.terminate());
    const pull = cleanup.add(new Pull({ receiveTimeout: 100 }));
    await pull.bind(endpoint);
    await rejection(pull.receive(), "EAGAIN");
  });

  it("of some milliseconds waits so long, for all sockets at once", async () => {
    const [context] = await waiting({ linger: 400 });
    for (let i = 0; i < 3; i++) {
      const other = new Push({ context, linger: 400 });
      other.connect(await freeEndpoint());
      await other.send("waits");
    }
    const start = performance.now();
    await within(context.terminate(), 5_000, "the end of the context");
    const took = performance.now() - start;
    assertGreaterOrEqual(took, 390);
    assertLess(took, 1_500, "one after the other");
  });

  it("of -1 waits until what was accepted is delivered", async () => {
    const [context, endpoint] = await waiting({ linger: -1 });
    const ending = context.terminate();
    await staysPending(ending, 150, "a context with a message left");
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    await pull.bind(endpoint);
    assertEquals(textsOf(await pull.receive()), ["waits"]);
    await soon(ending);
  });

  it("of a socket that is closed already is waited for, too", async () => {
    const context = new Context();
    const push = new Push({ context, reconnectInterval: 10 });
    const endpoint = await freeEndpoint();
    push.connect(endpoint);
    await push.send("waits");
    let closed = false;
    void push.close().then(() => closed = true);
    const ending = context.terminate();
    await staysPending(ending, 150, "a context whose socket is closing");
    const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
    await pull.bind(endpoint);
    assertEquals(textsOf(await pull.receive()), ["waits"]);
    await soon(ending);
    await eventually(() => closed);
  });

  it("is 0 with blocky of false", async () => {
    const context = new Context({ blocky: false });
    const push = new Push({ context });
    push.connect(await freeEndpoint());
    await push.send("dropped");
    await soon(context.terminate());
  });
});

describe("several contexts", () => {
  afterEach(() => cleanup.run());

  it("have names of inproc of their own", async () => {
    const contexts = [new Context(), new Context()];
    const pairs = [];
    for (const [i, context] of contexts.entries()) {
      const bound = cleanup.add(new Pair({ context, receiveTimeout: 5_000 }));
      const other = cleanup.add(new Pair({ context }));
      await bound.bind("inproc://same");
      other.connect("inproc://same");
      await other.send(`of ${i}`);
      pairs.push(bound);
    }
    for (const [i, bound] of pairs.entries()) {
      assertEquals(textsOf(await bound.receive()), [`of ${i}`]);
    }
    const second = cleanup.add(new Pair({ context: contexts[0] }));
    await rejection(second.bind("inproc://same"), "EADDRINUSE");
  });

  it("end each for itself", async () => {
    const [doomed, alive] = [new Context(), new Context()];
    const pull = cleanup.add(new Pull({ context: alive, receiveTimeout: 5_000 }));
    await pull.bind(ANY_PORT);
    const push = new Push({ context: doomed });
    push.connect(pull.lastEndpoint!);
    await push.send("from the one that ends");
    await soon(doomed.terminate());
    assertEquals(textsOf(await pull.receive()), ["from the one that ends"]);
    const receiving = pull.receive();
    const other = cleanup.add(new Push({ context: alive }));
    other.connect(pull.lastEndpoint!);
    await other.send("from the one that lives");
    assertEquals(textsOf(await receiving), ["from the one that lives"]);
    assertEquals([doomed.closed, alive.closed], [true, false]);
  });

  it("in great number leave nothing behind", async () => {
    for (let i = 0; i < 50; i++) {
      const context = new Context();
      const [reply, request] = [new Reply({ context }), new Request({ context })];
      await reply.bind(i % 2 ? ANY_PORT : "inproc://reply");
      request.connect(reply.lastEndpoint!);
      await request.send("question");
      assertEquals(textsOf(await reply.receive()), ["question"]);
      await reply.send("answer");
      assertEquals(textsOf(await request.receive()), ["answer"]);
      await soon(context.terminate());
    }
  });
});
