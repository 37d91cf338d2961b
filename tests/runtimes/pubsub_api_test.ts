// The public face of PUB, SUB, XPUB and XSUB: options, their defaults and checks, errors, counts.

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Publisher,
  type Socket,
  Socket as SocketBase,
  StateError,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { ALL_TRANSPORTS, anywhere } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { peers, subscribed } from "../_util/pubsub.ts";
import { assertSays, failure, rejection } from "../_util/rejection.ts";
import { describeOver } from "../_util/transports.ts";

const CLASSES = { Publisher, Subscriber, XPublisher, XSubscriber } as const;
type Name = keyof typeof CLASSES;
const NAMES = Object.keys(CLASSES) as Name[];
const cleanup = new Cleanup();

const SENDING = { sendHighWaterMark: 1000, sendTimeout: -1 } as const;
const RECEIVING = { receiveHighWaterMark: 1000, receiveTimeout: -1 } as const;
const PUBLISHING = {
  noDrop: false,
  invertMatching: false,
  maxTopicLength: 4096,
  maxSubscriptions: 100_000,
} as const;

/** The options of each class beyond those of all sockets, and their defaults. */
const DEFAULTS: Readonly<Record<Name, Readonly<Record<string, unknown>>>> = {
  Publisher: { linger: -1, ...SENDING, ...PUBLISHING, conflate: false },
  Subscriber: { linger: 0, ...RECEIVING, conflate: false, invertMatching: false },
  XPublisher: {
    linger: -1,
    ...SENDING,
    ...RECEIVING,
    ...PUBLISHING,
    verbosity: null,
    manual: false,
    manualLastValue: false,
    welcomeMessage: null,
    onlyFirstSubscribe: false,
  },
  XSubscriber: {
    linger: 0,
    ...SENDING,
    ...RECEIVING,
    verbosity: null,
    onlyFirstSubscribe: false,
  },
};

function otherValue(name: string, value: unknown): unknown {
  if (typeof value === "boolean") return !value;
  if (name === "verbosity") return "allSubs";
  return name === "welcomeMessage" ? "hello" : 7;
}

function valuesOf(socket: Socket): Record<string, unknown> {
  return socket as unknown as Record<string, unknown>;
}

function makeAny(name: Name, options?: object): Socket {
  return cleanup.add(new CLASSES[name](options as never) as Socket);
}

for (const name of NAMES) {
  describe(name, () => {
    afterEach(() => cleanup.run());

    it("is a Socket with the number of libzmq as its type", () => {
      const socket = makeAny(name);
      assertInstanceOf(socket, SocketBase);
      const types = { Publisher: 1, Subscriber: 2, XPublisher: 9, XSubscriber: 10 };
      assertEquals([socket.type, socket.constructor.name], [types[name], name]);
      assertEquals([socket.closed, socket.lastEndpoint, socket.readable], [false, null, false]);
    });

    it("has its options at their defaults", () => {
      const values = valuesOf(makeAny(name));
      for (const [option, value] of Object.entries(DEFAULTS[name])) {
        assertEquals(values[option], value, option);
      }
    });

    it("takes each option in its constructor and as a property", () => {
      const options = Object.fromEntries(
        Object.entries(DEFAULTS[name]).map(([option, value]) => [
          option,
          otherValue(option, value),
        ]),
      );
      const given = valuesOf(makeAny(name, options));
      const set = valuesOf(makeAny(name));
      for (const [option, value] of Object.entries(options)) {
        assertEquals(given[option], value, option);
        set[option] = value;
        assertEquals(set[option], value, option);
      }
    });

    it("refuses options that it does not have, by their names", () => {
      const all = new Set(Object.values(DEFAULTS).flatMap((options) => Object.keys(options)));
      for (const option of ["routingId", "mandatory", "topicsCount", "verbose", ...all]) {
        if (option in DEFAULTS[name]) continue;
        const error = failure(() => makeAny(name, { [option]: 1 }), "EINVAL");
        assertInstanceOf(error, TypeError);
        assertSays(error, option);
        assertThrows(() => valuesOf(makeAny(name))[option] = 1, TypeError, undefined, option);
      }
    });

    it("has only the operations of its type", () => {
      const socket = makeAny(name);
      const operations: Readonly<Record<string, readonly Name[]>> = {
        send: ["Publisher", "XPublisher", "XSubscriber"],
        receive: ["Subscriber", "XPublisher", "XSubscriber"],
        subscribe: ["Subscriber", "XPublisher"],
        unsubscribe: ["Subscriber", "XPublisher"],
        stats: NAMES,
        topicsCount: NAMES,
      };
      for (const [operation, names] of Object.entries(operations)) {
        assertEquals(operation in socket, names.includes(name), operation);
      }
      assertEquals(Symbol.asyncIterator in socket, name !== "Publisher");
    });

    it("starts without topics, and with its counts at nothing", () => {
      const socket = makeAny(name) as Publisher;
      assertEquals(socket.topicsCount, 0);
      const { dropped, peers: all } = socket.stats();
      assertEquals([dropped, all], [0, []]);
      assertThrows(() => valuesOf(socket).topicsCount = 5, TypeError);
    });

    it("is writable at once, where it sends: nobody can make it wait", () => {
      const { writable } = makeAny(name);
      assertEquals(writable, name !== "Subscriber");
    });

    it("says EBADF to everything once it is closed", async () => {
      const socket = makeAny(name) as XPublisher;
      await socket.bind(anywhere("tcp"));
      await socket.close();
      const calls = [
        socket.bind(anywhere("tcp")),
        ...("send" in socket ? [socket.send("x")] : []),
        ...("receive" in socket ? [socket.receive()] : []),
      ];
      for (const call of calls) assertInstanceOf(await rejection(call, "EBADF"), StateError);
      if ("subscribe" in socket) {
        for (const call of [() => socket.subscribe("a"), () => socket.unsubscribe("a")]) {
          assertInstanceOf(failure(call, "EBADF"), StateError);
        }
      }
    });

    it("answers its counts also when it is closed", async () => {
      const socket = makeAny(name) as Publisher;
      await socket.close();
      assertEquals(typeof socket.topicsCount, "number");
      assertEquals(typeof socket.stats().dropped, "number");
    });
  });
}

describe("an option of publish-subscribe", () => {
  afterEach(() => cleanup.run());

  const wrong: readonly [name: string, value: unknown, type: typeof Error | undefined][] = [
    ["noDrop", 1, TypeError],
    ["invertMatching", "yes", TypeError],
    ["manual", null, TypeError],
    ["manualLastValue", 0, TypeError],
    ["onlyFirstSubscribe", 1, TypeError],
    ["maxTopicLength", "10", TypeError],
    ["maxTopicLength", -1, RangeError],
    ["maxTopicLength", 1.5, RangeError],
    ["maxTopicLength", NaN, RangeError],
    ["maxSubscriptions", "10", TypeError],
    ["maxSubscriptions", -1, RangeError],
    ["maxSubscriptions", 2 ** 53, RangeError],
    ["verbosity", "all", undefined],
    ["verbosity", 1, undefined],
    ["verbosity", true, undefined],
    ["welcomeMessage", 5, TypeError],
    ["welcomeMessage", ["W"], TypeError],
    ["welcomeMessage", true, TypeError],
  ];
  for (const [name, value, type] of wrong) {
    it(`refuses ${JSON.stringify(value)} as ${name} and keeps what it was`, () => {
      const socket = makeAny("XPublisher");
      const before = valuesOf(socket)[name];
      for (
        const error of [
          failure(() => valuesOf(socket)[name] = value, "EINVAL"),
          failure(() => makeAny("XPublisher", { [name]: value }), "EINVAL"),
        ]
      ) {
        if (type !== undefined) assertEquals(error.constructor, type);
        assertSays(error, name);
      }
      assertEquals(valuesOf(socket)[name], before);
    });
  }

  it("refuses a conflate that is no boolean", () => {
    for (const name of ["Publisher", "Subscriber"] as const) {
      assertInstanceOf(failure(() => makeAny(name, { conflate: 1 }), "EINVAL"), TypeError);
    }
  });

  it("takes null, text and octets as welcomeMessage", () => {
    const socket = cleanup.add(new XPublisher({ welcomeMessage: "W" }));
    assertEquals(socket.welcomeMessage, "W");
    socket.welcomeMessage = Uint8Array.of(1, 2);
    assertEquals(socket.welcomeMessage, Uint8Array.of(1, 2));
    socket.welcomeMessage = null;
    assertEquals(socket.welcomeMessage, null);
  });

  it("takes 0 as maxSubscriptions for any number, and as maxTopicLength for the empty topic", async () => {
    const publisher = cleanup.add(new Publisher({ maxSubscriptions: 0, maxTopicLength: 0 }));
    const log = new EventLog(publisher);
    await publisher.bind(anywhere("tcp"));
    const [good, bad] = [1, 2].map(() => cleanup.add(new Subscriber({ reconnectInterval: -1 })));
    for (const subscriber of [good, bad]) subscriber.connect(publisher.lastEndpoint!);
    good.subscribe("");
    await subscribed(publisher, 1);
    bad.subscribe("x");
    await log.next("disconnect");
    publisher.maxTopicLength = 10;
    for (let i = 0; i < 200_000; i++) good.subscribe(String(i));
    await subscribed(publisher, 200_001);
  });

  it("takes each verbosity", () => {
    const socket = cleanup.add(new XSubscriber({ verbosity: "allSubs" }));
    for (const verbosity of ["allSubsUnsubs", null, "allSubs"] as const) {
      socket.verbosity = verbosity;
      assertEquals(socket.verbosity, verbosity);
    }
  });
});

describe("a topic", () => {
  afterEach(() => cleanup.run());

  const wrong: Readonly<Record<string, unknown>> = {
    "a number": 5,
    "null": null,
    "an object": {},
    "an array": ["a"],
    "undefined": undefined,
    "true": true,
  };
  for (const [what, topic] of Object.entries(wrong)) {
    it(`cannot be ${what}; nothing is changed then`, () => {
      const subscriber = cleanup.add(new Subscriber());
      subscriber.subscribe("kept");
      for (const call of ["subscribe", "unsubscribe"] as const) {
        const error = failure(() => subscriber[call]("kept", topic as string), "EINVAL");
        assertInstanceOf(error, TypeError);
        assertEquals(subscriber.topicsCount, 1);
      }
    });
  }

  it("may be as long as fits into a command", () => {
    const subscriber = cleanup.add(new Subscriber());
    subscriber.subscribe("x".repeat(65_526), new Uint8Array(65_526));
    assertEquals(subscriber.topicsCount, 2);
    const error = failure(() => subscriber.subscribe("short", new Uint8Array(65_527)), "EINVAL");
    assertInstanceOf(error, RangeError);
    assertSays(error, "65527", "65526");
    assertEquals(subscriber.topicsCount, 2);
  });
});

describeOver(ALL_TRANSPORTS, "topicsCount", (transport) => {
  afterEach(() => cleanup.run());

  async function pair(): Promise<[Publisher, Subscriber]> {
    const publisher = cleanup.add(new Publisher());
    await publisher.bind(anywhere(transport));
    const subscriber = cleanup.add(new Subscriber());
    subscriber.connect(publisher.lastEndpoint!);
    return [publisher, subscriber];
  }

  async function expectCount(ends: readonly [Publisher, Subscriber], count: number): Promise<void> {
    assertEquals(ends[1].topicsCount, count);
    await eventually(() => ends[0].topicsCount === count);
  }

  it("counts topics that have nothing to do with each other", async () => {
    const ends = await pair();
    const [, subscriber] = ends;
    subscriber.subscribe("topicprefix1", "topicprefix2", "topicprefix3");
    await expectCount(ends, 3);
    subscriber.unsubscribe("topicprefix3");
    await expectCount(ends, 2);
    subscriber.unsubscribe("topicprefix1", "topicprefix2");
    await expectCount(ends, 0);
  });

  it("counts topics that are prefixes of each other", async () => {
    const ends = await pair();
    const [, subscriber] = ends;
    subscriber.subscribe("a", "ab", "abc");
    await expectCount(ends, 3);
    subscriber.subscribe("xyz", "xy", "x");
    await expectCount(ends, 6);
    subscriber.subscribe("", "a", "xyz");
    await expectCount(ends, 7);
    subscriber.unsubscribe("ab", "xy", "");
    await expectCount(ends, 4);
  });

  it("counts the topic of many subscribers once", async () => {
    const [publisher, subscriber] = await pair();
    const others = Array.from({ length: 5 }, () => cleanup.add(new Subscriber()));
    for (const each of [subscriber, ...others]) each.subscribe("shared", "too");
    for (const other of others) other.connect(publisher.lastEndpoint!);
    await subscribed(publisher, 12);
    assertEquals(publisher.topicsCount, 2);
    for (const other of others) await other.close();
    await subscribed(publisher, 2);
    assertEquals(publisher.topicsCount, 2);
    await subscriber.close();
    await eventually(() => publisher.topicsCount === 0);
  });

  it("of an XSubscriber counts what it was sent", async () => {
    const subscriber = cleanup.add(new XSubscriber());
    for (const request of ["\x01a", "\x01a", "\x01b", "\x00c", "\x00a"]) {
      await subscriber.send(request);
    }
    assertEquals(subscriber.topicsCount, 2);
    await subscriber.send("\x00a");
    assertEquals(subscriber.topicsCount, 1);
  });
});

describeOver(ALL_TRANSPORTS, "stats", (transport) => {
  afterEach(() => cleanup.run());

  it("names each peer with its address and its subscriptions", async () => {
    const publisher = cleanup.add(new Publisher());
    await publisher.bind(anywhere(transport));
    const subscribers = [1, 2].map((count) => {
      const subscriber = cleanup.add(new Subscriber());
      subscriber.connect(publisher.lastEndpoint!);
      for (let i = 0; i < count; i++) subscriber.subscribe(`topic ${i}`);
      return subscriber;
    });
    await subscribed(publisher, 3);
    const { dropped, peers: all } = publisher.stats();
    assertEquals(dropped, 0);
    assertEquals(all.map(({ subscriptions }) => subscriptions).sort(), [1, 2]);
    for (const peer of all) assertEquals([peer.queued, peer.dropped], [0, 0]);
    if (transport === "tcp") {
      // The other transports' peers have no address of their own.
      for (const { address } of all) assert(/127\.0\.0\.1:\d+$/.test(address), address);
      assertEquals(new Set(all.map(({ address }) => address)).size, 2);
    }
    await subscribers[0].close();
    await peers(publisher, 1);
  });

  it("is a picture of the moment, which does not change", async () => {
    const publisher = cleanup.add(new Publisher());
    await publisher.bind(anywhere(transport));
    const before = publisher.stats();
    const subscriber = cleanup.add(new Subscriber());
    subscriber.subscribe("a");
    subscriber.connect(publisher.lastEndpoint!);
    await subscribed(publisher, 1);
    assertEquals(before.peers.length, 0);
  });
});
