// The options of a Context: defaults, checks, and what they do.

import { assert, assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, context, Dealer, Pair, Pull, Push, Router } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { connectAs, message } from "../_util/raw_zmtp.ts";
import { assertSays, failure, rejection } from "../_util/rejection.ts";
import { hasIpv6 } from "../_util/system.ts";

const cleanup = new Cleanup();
const INT_MAX = 2 ** 31 - 1;

const DEFAULTS = {
  ioThreads: 1,
  maxSockets: 1023,
  maxMessageSize: INT_MAX,
  ipv6: false,
  blocky: true,
  threadPriority: -1,
  threadSchedulingPolicy: -1,
} as const;

const OTHERS = {
  ioThreads: 4,
  maxSockets: 17,
  maxMessageSize: 1_000,
  ipv6: true,
  blocky: false,
  threadPriority: 5,
  threadSchedulingPolicy: 2,
} as const;

const NAMES = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];

function valuesOf(context: Context): Record<string, unknown> {
  return context as unknown as Record<string, unknown>;
}

/** A context whose sockets the test does not have to close one by one. */
function open(options?: ConstructorParameters<typeof Context>[0]): Context {
  const context = new Context(options);
  cleanup.add({ kill: () => context.terminate() });
  return context;
}

/** Sockets of the context, without linger, so that terminating is quick. */
function push(context: Context, options: ConstructorParameters<typeof Push>[0] = {}): Push {
  return cleanup.add(new Push({ context, ...options }));
}

describe("the options of a Context", () => {
  afterEach(() => cleanup.run());

  it("have their defaults, in the default context as well", () => {
    for (const one of [open(), open({}), context]) {
      for (const name of NAMES) assertEquals(one[name], DEFAULTS[name], name);
      assertEquals([one.maxSocketsLimit, one.closed], [65_535, false]);
    }
  });

  it("are taken by the constructor, and set as properties", () => {
    const [given, set] = [open(OTHERS), open()];
    for (const name of NAMES) {
      assertEquals(given[name], OTHERS[name], name);
      valuesOf(set)[name] = OTHERS[name];
      assertEquals(set[name], OTHERS[name], name);
    }
  });

  it("belong to one context alone", () => {
    open(OTHERS);
    for (const name of NAMES) assertEquals(open()[name], DEFAULTS[name], name);
  });

  it("stay as they are when given as undefined", () => {
    const none = Object.fromEntries(NAMES.map((name) => [name, undefined]));
    for (const name of NAMES) assertEquals(open(none)[name], DEFAULTS[name], name);
  });

  it("include the runtime, which cannot be changed later", () => {
    const runtime = detectRuntime();
    assertEquals(open({ runtime }).runtime, runtime);
    assertThrows(() => valuesOf(open()).runtime = runtime, TypeError);
  });

  const wrong: readonly [name: string, value: unknown, type: typeof Error, ...says: string[]][] = [
    ["ioThreads", "1", TypeError, "a number"],
    ["ioThreads", -1, RangeError, "-1", "from 0"],
    ["maxSockets", null, TypeError, "a number"],
    ["maxSockets", 0, RangeError, "0", "from 1 to 65535"],
    ["maxSockets", 65_536, RangeError, "65536", "65535"],
    ["maxSockets", 1.5, RangeError, "1.5", "integer"],
    ["maxMessageSize", -1, RangeError, "-1", "from 0"],
    ["maxMessageSize", 2 ** 31, RangeError, "2147483648", "2147483647"],
    ["maxMessageSize", 10n, TypeError, "a number", "bigint"],
    ["ipv6", 1, TypeError, "true or false"],
    ["blocky", "no", TypeError, "true or false", "string"],
    ["blocky", null, TypeError, "true or false"],
    ["threadPriority", -2, RangeError, "-2", "from -1"],
    ["threadSchedulingPolicy", {}, TypeError, "a number"],
  ];
  for (const [name, value, type, ...says] of wrong) {
    const text = typeof value === "bigint" ? `${value}n` : JSON.stringify(value);
    it(`refuse ${text} as ${name}, and keep what they were`, () => {
      const one = open();
      for (
        const set of [() => valuesOf(one)[name] = value, () => new Context({ [name]: value })]
      ) {
        const error = failure(set, "EINVAL");
        assertEquals(error.constructor, type);
        assertSays(error, name, ...says);
      }
      assertEquals(valuesOf(one)[name], valuesOf(open())[name]);
    });
  }

  it("are no others: unknown ones and those that can only be read are refused by name", () => {
    for (
      const name of ["maxSocket", "linger", "closed", "maxSocketsLimit", "terminate", "toString"]
    ) {
      const error = failure(() => new Context({ [name]: 5 } as object), "EINVAL");
      assertInstanceOf(error, TypeError);
      assertSays(error, name);
      assertThrows(() => valuesOf(open())[name] = 5, TypeError, undefined, name);
    }
    for (const options of [null, 5, "ipv6"]) {
      const error = failure(() => new Context(options as unknown as object), "EINVAL");
      assertInstanceOf(error, TypeError);
    }
  });

  it("that do nothing here do not disturb: ioThreads, threadPriority, threadSchedulingPolicy", async () => {
    const one = open({ ioThreads: 0, threadPriority: 99, threadSchedulingPolicy: 1 });
    const pull = cleanup.add(new Pull({ context: one, receiveTimeout: 5_000 }));
    await pull.bind(ANY_PORT);
    const sender = push(one);
    sender.connect(pull.lastEndpoint!);
    await sender.send("x");
    assertEquals(String(await pull.receive()), "x");
  });
});

describe("maxSockets", () => {
  afterEach(() => cleanup.run());

  it("makes the next socket fail with EMFILE, and says the limit", () => {
    const one = open({ maxSockets: 3 });
    for (let i = 0; i < 3; i++) push(one);
    for (const type of [Push, Pull, Dealer]) {
      const error = failure(() => new type({ context: one }), "EMFILE");
      assertEquals(error.errno, 24);
      assertSays(error, "3", "maxSockets");
    }
  });

  it("has room again once a socket is closed", async () => {
    const one = open({ maxSockets: 2 });
    const sockets = [push(one), push(one)];
    for (let round = 0; round < 5; round++) {
      failure(() => push(one), "EMFILE");
      await sockets.shift()!.close();
      sockets.push(push(one));
    }
    failure(() => push(one), "EMFILE");
  });

  it("is not used up by sockets that could not be made", () => {
    const one = open({ maxSockets: 2 });
    for (let i = 0; i < 10; i++) {
      failure(() => new Push({ context: one, nonsense: 1 } as object), "EINVAL");
      failure(() => new Push({ context: one, linger: -5 }), "EINVAL");
    }
    push(one);
    push(one);
    failure(() => push(one), "EMFILE");
  });

  it("may be raised under way, and lowered below what there is", async () => {
    const one = open({ maxSockets: 1 });
    const first = push(one);
    failure(() => push(one), "EMFILE");
    one.maxSockets = 2;
    const second = push(one);
    one.maxSockets = 1;
    await first.close();
    failure(() => push(one), "EMFILE");
    await second.close();
    push(one);
  });

  it("is 1023 by default, and 65535 at most", () => {
    const one = open();
    for (let i = 0; i < 1_023; i++) push(one);
    failure(() => push(one), "EMFILE");
    one.maxSockets = one.maxSocketsLimit;
    push(one);
  });

  it("of one context leaves others alone", () => {
    const full = open({ maxSockets: 1 });
    push(full);
    failure(() => push(full), "EMFILE");
    const other = open({ maxSockets: 1 });
    push(other);
  });
});

describe("maxMessageSize of a Context", () => {
  afterEach(() => cleanup.run());

  it("limits each frame that is sent", async () => {
    const one = open({ maxMessageSize: 100 });
    const [sender, pull] = [push(one, { sendTimeout: 5_000 }), cleanup.add(new Pull())];
    await pull.bind(ANY_PORT);
    sender.connect(pull.lastEndpoint!);
    await sender.send([new Uint8Array(100), new Uint8Array(100)]);
    assertEquals((await pull.receive()).map((frame) => frame.length), [100, 100]);
    for (const long of [[new Uint8Array(101)], ["x", "y".repeat(101)], ["ü".repeat(51)]]) {
      const error = await rejection(sender.send(long), "EMSGSIZE");
      assertSays(error, "100");
    }
    await sender.send("still here");
    assertEquals(String(await pull.receive()), "still here");
  });

  it("limits what is sent over inproc", async () => {
    const one = open({ maxMessageSize: 100 });
    const [a, b] = [new Pair({ context: one }), new Pair({ context: one })].map((pair) =>
      cleanup.add(pair)
    );
    await a.bind("inproc://limited");
    b.connect("inproc://limited");
    await rejection(b.send(new Uint8Array(101)), "EMSGSIZE");
    await b.send(new Uint8Array(100));
    assertEquals((await a.receive())[0].length, 100);
  });

  it("limits each frame that is received", async () => {
    const one = open({ maxMessageSize: 100 });
    const pull = cleanup.add(new Pull({ context: one, receiveTimeout: 5_000 }));
    await pull.bind(ANY_PORT);
    const peer = cleanup.add(await connectAs(pull.lastEndpoint!, "PUSH"));
    peer.send(message(new Uint8Array(100)), message(new Uint8Array(101)));
    assertEquals((await pull.receive())[0].length, 100);
    await peer.untilClosed();
    assertEquals(pull.readable, false);
  });

  it("and that of the socket: the smaller one counts", async () => {
    for (const [ofContext, ofSocket] of [[100, 1_000], [1_000, 100], [100, -1]]) {
      const one = open({ maxMessageSize: ofContext });
      const pull = cleanup.add(
        new Pull({ context: one, receiveTimeout: 5_000, maxMessageSize: ofSocket }),
      );
      assertEquals(pull.maxMessageSize, ofSocket);
      await pull.bind(ANY_PORT);
      const peer = cleanup.add(await connectAs(pull.lastEndpoint!, "PUSH"));
      peer.send(message(new Uint8Array(100)), message(new Uint8Array(101)));
      assertEquals((await pull.receive())[0].length, 100);
      await peer.untilClosed();
    }
  });

  it("that is changed counts for new connections", async () => {
    const one = open({ maxMessageSize: 100 });
    const pull = cleanup.add(new Pull({ context: one, receiveTimeout: 5_000 }));
    await pull.bind(ANY_PORT);
    const early = cleanup.add(await connectAs(pull.lastEndpoint!, "PUSH"));
    early.send(message("early"));
    assertEquals(String(await pull.receive()), "early");
    one.maxMessageSize = 1_000;
    const late = cleanup.add(await connectAs(pull.lastEndpoint!, "PUSH"));
    late.send(message(new Uint8Array(1_000)));
    assertEquals((await pull.receive())[0].length, 1_000);
    early.send(message(new Uint8Array(101)));
    await early.untilClosed();
  });

  it("of 0 lets empty frames through alone", async () => {
    const one = open({ maxMessageSize: 0 });
    const pull = cleanup.add(new Pull({ context: one, receiveTimeout: 5_000 }));
    await pull.bind(ANY_PORT);
    const sender = push(one);
    sender.connect(pull.lastEndpoint!);
    await rejection(sender.send("x"), "EMSGSIZE");
    await sender.send(["", ""]);
    assertEquals((await pull.receive()).map((frame) => frame.length), [0, 0]);
  });
});

describe("ipv6 and blocky of a Context", () => {
  afterEach(() => cleanup.run());

  it("are what new sockets begin with, and no more than that", () => {
    const one = open({ ipv6: true, blocky: false });
    const sockets = [push(one), cleanup.add(new Router({ context: one }))];
    for (const socket of sockets) assertEquals([socket.ipv6, socket.linger], [true, 0]);
    one.ipv6 = false;
    one.blocky = true;
    for (const socket of sockets) assertEquals([socket.ipv6, socket.linger], [true, 0]);
    const later = push(one);
    assertEquals([later.ipv6, later.linger], [false, -1]);
  });

  it("give way to what a socket is told itself", () => {
    const one = open({ ipv6: true, blocky: false });
    const socket = push(one, { ipv6: false, linger: 500 });
    assertEquals([socket.ipv6, socket.linger], [false, 500]);
  });

  it("do what the options of the socket do: ipv6 binds both families", {
    ignore: !hasIpv6(),
  }, async () => {
    const socket = cleanup.add(new Pull({ context: open({ ipv6: true }) }));
    await socket.bind("tcp://*:*");
    assertMatch(socket.lastEndpoint!, /^tcp:\/\/\[::\]:\d+$/);
  });

  it("do what the options of the socket do: blocky of false drops what waits at close", async () => {
    const socket = new Push({ context: open({ blocky: false }) });
    socket.connect("tcp://127.0.0.1:9");
    await socket.send("dropped");
    let closed = false;
    void socket.close().then(() => closed = true);
    await eventually(() => closed, 1_000);
    assert(socket.closed);
  });
});
