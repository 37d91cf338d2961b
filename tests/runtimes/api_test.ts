// The public face: what is exported, and what a socket is before any message moves.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import * as zmq from "../../mod.ts";
import {
  Context,
  context,
  Dealer,
  EndpointError,
  Pair,
  ProtocolError,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  SendError,
  Socket,
  StateError,
  version,
  ZmqError,
} from "../../mod.ts";
import { ALL_TRANSPORTS, anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { assertSays, failure, rejection } from "../_util/rejection.ts";
import { describeOver, nowhere } from "../_util/transports.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const CLASSES = { Pair, Push, Pull, Request, Reply, Dealer, Router } as const;
const NAMES = Object.keys(CLASSES) as (keyof typeof CLASSES)[];

const COMMON = {
  linger: -1,
  reconnectInterval: 100,
  reconnectMaxInterval: 0,
  connectTimeout: 0,
  handshakeInterval: 30_000,
  maxMessageSize: -1,
  backlog: 100,
  ipv6: false,
  immediate: false,
  tcpKeepalive: -1,
  tcpKeepaliveIdle: -1,
  tcpKeepaliveCount: -1,
  tcpKeepaliveInterval: -1,
} as const;
const SENDING = { sendHighWaterMark: 1000, sendTimeout: -1 } as const;
const RECEIVING = { receiveHighWaterMark: 1000, receiveTimeout: -1 } as const;
const BOTH = { ...SENDING, ...RECEIVING } as const;

/** The options of each class and their defaults. */
const DEFAULTS: Readonly<Record<keyof typeof CLASSES, Readonly<Record<string, unknown>>>> = {
  Pair: { ...COMMON, ...BOTH },
  Push: { ...COMMON, ...SENDING },
  Pull: { ...COMMON, ...RECEIVING },
  Request: {
    ...COMMON,
    ...BOTH,
    routingId: null,
    probeRouter: false,
    correlate: false,
    relaxed: false,
  },
  Reply: { ...COMMON, ...BOTH, routingId: null },
  Dealer: { ...COMMON, ...BOTH, routingId: null, probeRouter: false },
  Router: {
    ...COMMON,
    ...BOTH,
    routingId: null,
    probeRouter: false,
    mandatory: false,
    handover: false,
  },
};

/** Another legal value for an option, told from its default. */
function otherValue(name: string, value: unknown): unknown {
  if (typeof value === "boolean") return !value;
  if (name === "routingId") return "me";
  return name === "tcpKeepalive" ? 1 : 7;
}

/** A socket's options as plain properties. */
function valuesOf(socket: Socket): Record<string, unknown> {
  return socket as unknown as Record<string, unknown>;
}

function makeAny(name: keyof typeof CLASSES, options?: object): Socket {
  return new CLASSES[name](options as never);
}

describe("the module", () => {
  it("exports the sockets, the context, the errors and its version", () => {
    for (const name of NAMES) assertEquals(typeof zmq[name], "function", name);
    for (const name of ["Socket", "Context", "Frame", "ZmqError"] as const) {
      assertEquals(typeof zmq[name], "function", name);
    }
    assertInstanceOf(context, Context);
    assertMatch(version, /^\d+\.\d+\.\d+/);
  });

  it("exports what zeromq.js calls capability: what libzmq could be built with", () => {
    const { capability } = zmq as unknown as { capability?: Record<string, boolean> };
    for (const name of ["pgm", "tipc", "norm", "gssapi", "draft"]) {
      assertEquals(capability?.[name], false, name);
    }
    assertEquals(capability?.curve, true);
    assertEquals(typeof capability?.ipc, "boolean");
  });

  it("exports errors that extend Error and ZmqError", () => {
    assertInstanceOf(new ZmqError("EAGAIN", "text"), Error);
    for (const type of [StateError, EndpointError, SendError, ProtocolError]) {
      const error = new type("EINVAL", "text", { address: "tcp://a:1", cause: 5 });
      assertInstanceOf(error, ZmqError);
      assertEquals(
        [error.name, error.code, error.errno, error.message, error.address, error.cause],
        [type.name, "EINVAL", 22, "text", "tcp://a:1", 5],
      );
    }
  });

  it("does not open a connection or keep the process alive at import", () => {
    assertEquals(context.runtime, undefined);
  });
});

for (const name of NAMES) {
  describe(name, () => {
    const cleanup = new Cleanup();
    afterEach(() => cleanup.run());
    const make = (options?: object): Socket => cleanup.add(makeAny(name, options));

    it("is a Socket of the default context, open, bound and connected nowhere", () => {
      const socket = make();
      assertInstanceOf(socket, Socket);
      assertStrictEquals(socket.context, context);
      assertEquals(
        [socket.closed, socket.lastEndpoint, socket.readable],
        [false, null, false],
      );
      assertEquals([socket.securityMechanism, socket.threadSafe], [null, false]);
      assertEquals(socket.writable, name === "Router");
      assertEquals(socket.constructor.name, name);
    });

    it("has the number of libzmq as its type", () => {
      const numbers = { Pair: 0, Request: 3, Reply: 4, Dealer: 5, Router: 6, Pull: 7, Push: 8 };
      assertEquals(make().type, numbers[name]);
    });

    it("has its options at their defaults", () => {
      const values = valuesOf(make());
      for (const [option, value] of Object.entries(DEFAULTS[name])) {
        assertEquals(values[option], value, option);
      }
    });

    it("takes each option in its constructor and as a property", () => {
      const options = Object.fromEntries(
        Object.entries(DEFAULTS[name]).map((
          [option, value],
        ) => [option, otherValue(option, value)]),
      );
      const given = valuesOf(make(options));
      const set = valuesOf(make());
      for (const [option, value] of Object.entries(options)) {
        assertEquals(given[option], value, option);
        set[option] = value;
        assertEquals(set[option], value, option);
      }
    });

    it("refuses options that it does not have, by their names", () => {
      const all = new Set(Object.values(DEFAULTS).flatMap((options) => Object.keys(options)));
      for (const option of ["sendHighWatermark", "type", "lastEndpoint", "send", ...all]) {
        if (option in DEFAULTS[name]) continue;
        const error = failure(() => makeAny(name, { [option]: 1 }), "EINVAL");
        assertInstanceOf(error, TypeError);
        assertSays(error, option);
        assertThrows(() => valuesOf(make())[option] = 1, TypeError, undefined, option);
      }
    });

    it("leaves an option alone that is given as undefined", () => {
      assertEquals(make({ linger: undefined }).linger, -1);
    });

    it("refuses options that are no object", () => {
      for (const options of [null, 5, "linger"]) {
        const error = failure(() => makeAny(name, options as unknown as object), "EINVAL");
        assertInstanceOf(error, TypeError);
      }
    });

    it("belongs to the context it is given", () => {
      const own = new Context();
      assertStrictEquals(make({ context: own }).context, own);
      assertNotStrictEquals(own, context);
      assertInstanceOf(failure(() => makeAny(name, { context: 5 }), "EINVAL"), TypeError);
    });

    it("is closed from the call of close() on, and closes once", async () => {
      const socket = make();
      const closing = socket.close();
      assertEquals(socket.closed, true);
      assertStrictEquals(socket.close(), closing);
      await closing;
      await socket.close();
      assertEquals([socket.closed, socket.readable, socket.writable], [true, false, false]);
    });

    it("closes by Symbol.asyncDispose", async () => {
      const socket = make();
      await socket.bind(ANY_PORT);
      await socket[Symbol.asyncDispose]();
      assertEquals(socket.closed, true);
    });

    it("says EBADF to everything once it is closed", async () => {
      const socket = make();
      await socket.bind(ANY_PORT);
      const endpoint = socket.lastEndpoint!;
      await socket.close();
      const both = socket as unknown as Dealer;
      const calls = [
        socket.bind(ANY_PORT),
        socket.unbind(endpoint),
        ...("send" in socket ? [both.send("x")] : []),
        ...("receive" in socket ? [both.receive()] : []),
      ];
      for (const call of calls) {
        const error = await rejection(call, "EBADF");
        assertInstanceOf(error, StateError);
        assertEquals([error.message, error.errno], ["Socket is closed", 9]);
      }
      failure(() => socket.connect(endpoint), "EBADF");
      failure(() => socket.disconnect(endpoint), "EBADF");
    });

    it("keeps lastEndpoint and its options readable once it is closed", async () => {
      const socket = make({ linger: 5 });
      await socket.bind(ANY_PORT);
      const endpoint = socket.lastEndpoint;
      await socket.close();
      assertEquals([socket.lastEndpoint, socket.linger], [endpoint, 5]);
    });

    it("has send and receive only where its type does", () => {
      const socket = make();
      assertEquals("send" in socket, name !== "Pull");
      assertEquals("receive" in socket, name !== "Push");
      assertEquals(Symbol.asyncIterator in socket, name !== "Push");
    });
  });
}

describe("an option", () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  const wrong: readonly [name: string, value: unknown, type: typeof Error, says: string[]][] = [
    ["linger", "10", TypeError, ["linger", "a number", "string"]],
    ["linger", null, TypeError, ["linger", "a number", "null"]],
    ["linger", 10n, TypeError, ["linger", "a number", "bigint"]],
    ["linger", -2, RangeError, ["linger", "-2", "from -1 to 2147483647", "milliseconds"]],
    ["linger", 1.5, RangeError, ["linger", "1.5", "integer"]],
    ["linger", NaN, RangeError, ["linger", "NaN"]],
    ["linger", Infinity, RangeError, ["linger", "Infinity"]],
    ["sendHighWaterMark", -1, RangeError, ["sendHighWaterMark", "-1", "from 0", "messages"]],
    ["sendTimeout", 2 ** 31, RangeError, ["sendTimeout", "2147483648", "2147483647"]],
    ["reconnectMaxInterval", -1, RangeError, ["reconnectMaxInterval", "from 0"]],
    ["handshakeInterval", -1, RangeError, ["handshakeInterval", "from 0"]],
    ["connectTimeout", -1, RangeError, ["connectTimeout", "from 0"]],
    ["maxMessageSize", -2, RangeError, ["maxMessageSize", "from -1", "octets"]],
    ["backlog", -1, RangeError, ["backlog", "from 0", "connections"]],
    ["tcpKeepalive", 2, RangeError, ["tcpKeepalive", "2", "from -1 to 1"]],
    ["ipv6", 1, TypeError, ["ipv6", "true or false", "number"]],
    ["immediate", "yes", TypeError, ["immediate", "true or false", "string"]],
    ["routingId", 5, TypeError, ["routingId", "a string or octets", "number"]],
    ["routingId", "x".repeat(256), RangeError, ["routingId", "256 octets", "at most 255"]],
    ["routingId", "ü".repeat(128), RangeError, ["routingId", "256 octets", "at most 255"]],
    ["routingId", new Uint8Array(300), RangeError, ["routingId", "300 octets"]],
    ["probeRouter", 0, TypeError, ["probeRouter", "true or false"]],
  ];
  for (const [name, value, type, says] of wrong) {
    it(`refuses ${describeValue(value)} as ${name} and keeps what it was`, () => {
      const dealer = cleanup.add(new Dealer());
      const before = valuesOf(dealer)[name];
      const setting = failure(() => valuesOf(dealer)[name] = value, "EINVAL");
      const making = failure(() => new Dealer({ [name]: value } as object), "EINVAL");
      for (const error of [setting, making]) {
        assertEquals(error.constructor, type);
        assertSays(error, ...says);
      }
      assertEquals(valuesOf(dealer)[name], before);
    });
  }

  it("may be any number of octets up to 255 as routingId, also binary ones", () => {
    const dealer = cleanup.add(new Dealer({ routingId: "x".repeat(255) }));
    const id = Uint8Array.of(1, 0, 255, 0);
    dealer.routingId = id;
    assertEquals(dealer.routingId, Uint8Array.of(1, 0, 255, 0));
    id[1] = 9;
    assertEquals(dealer.routingId, Uint8Array.of(1, 0, 255, 0), "it is a copy");
  });

  it("that is unknown cannot be set on a socket", () => {
    const push = cleanup.add(new Push());
    assertThrows(() => valuesOf(push).sendHighWatermark = 5, TypeError);
    assertThrows(() => valuesOf(push).type = 5, TypeError);
  });

  it("may be added by a class of the user's own", async () => {
    class Counting extends Push {
      count = 0;
      override send(...args: Parameters<Push["send"]>): Promise<void> {
        this.count++;
        return super.send(...args);
      }
    }
    const push = cleanup.add(new Counting({ sendTimeout: 0, sendHighWaterMark: 2 }));
    push.count = 5;
    await rejection(push.send("x"), "EAGAIN");
    assertEquals([push.count, push.sendHighWaterMark], [6, 2]);
    failure(() => new Counting({ nonsense: 1 } as object), "EINVAL");
  });
});

describeOver(ALL_TRANSPORTS, "lastEndpoint", (transport) => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  it("is the endpoint of the last bind or connect, wildcards resolved", async () => {
    const bound = {
      tcp: /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/,
      ws: /^ws:\/\/127\.0\.0\.1:[1-9]\d*$/,
      ipc: /^ipc:\/\/\/.+$/,
    };
    const pull = cleanup.add(new Pull());
    const address = anywhere(transport);
    await pull.bind(address);
    if (transport === "inproc") assertEquals(pull.lastEndpoint, address);
    else assertMatch(pull.lastEndpoint!, bound[transport]);
    const push = cleanup.add(new Push());
    push.connect(pull.lastEndpoint!);
    assertEquals(push.lastEndpoint, pull.lastEndpoint);
    await push.bind("tcp://*:0");
    assertMatch(push.lastEndpoint!, /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/);
  });

  it("stays when a bind fails", async () => {
    const pull = cleanup.add(new Pull());
    await pull.bind(anywhere(transport));
    const endpoint = pull.lastEndpoint;
    await rejection(pull.bind(`${transport}://`), "EINVAL");
    await rejection(pull.bind(endpoint!), "EADDRINUSE");
    assertEquals(pull.lastEndpoint, endpoint);
  });
});

describeOver(TRANSPORTS, "readable and writable", (transport) => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  it("of PUSH and PULL follow room and messages", async () => {
    const pull = cleanup.add(new Pull());
    const push = cleanup.add(new Push({ sendHighWaterMark: 2 }));
    await pull.bind(anywhere(transport));
    assertEquals([pull.writable, pull.readable, push.readable], [false, false, false]);
    push.connect(nowhere(transport));
    assert(push.writable, "a connect takes messages before its peer is there");
    await push.send("1");
    assert(push.writable);
    await push.send("2");
    assert(!push.writable, "the high-water mark is reached");
    push.disconnect(nowhere(transport));
    push.connect(pull.lastEndpoint!);
    await eventually(() => pull.readable && push.writable);
    await pull.receive();
    await pull.receive();
    assert(!pull.readable);
  });

  it("of a bound PUSH wait for its first peer", async () => {
    const push = cleanup.add(new Push());
    await push.bind(anywhere(transport));
    assert(!push.writable);
    const pull = cleanup.add(new Pull());
    pull.connect(push.lastEndpoint!);
    await eventually(() => push.writable);
    await pull.close();
    await eventually(() => !push.writable);
  });

  it("of REQ and REP take turns", async () => {
    const reply = cleanup.add(new Reply());
    await reply.bind(anywhere(transport));
    const request = cleanup.add(new Request());
    const states = () => [request.writable, request.readable, reply.writable, reply.readable];
    assertEquals(states(), [false, false, false, false]);
    request.connect(reply.lastEndpoint!);
    assertEquals(states(), [true, false, false, false]);
    await request.send("q");
    await eventually(() => reply.readable);
    assertEquals(states(), [false, false, false, true]);
    await reply.receive();
    assertEquals(states(), [false, false, true, false]);
    await reply.send("a");
    await eventually(() => request.readable);
    assertEquals(states(), [false, true, false, false]);
    await request.receive();
    assertEquals(states(), [true, false, false, false]);
  });

  it("of ROUTER: writable always, with mandatory only while a peer has room", async () => {
    const router = cleanup.add(new Router({ mandatory: true }));
    await router.bind(anywhere(transport));
    assert(!router.writable);
    const dealer = cleanup.add(new Dealer());
    dealer.connect(router.lastEndpoint!);
    await eventually(() => router.writable);
    router.mandatory = false;
    await dealer.close();
    assert(router.writable);
  });
});

function describeValue(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} octets`;
  if (typeof value === "string" && value.length > 20) return `${value.length} characters`;
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
