// metadataOf: where a received message came from.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import {
  Dealer,
  type Frame,
  metadataOf,
  Pair,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { textOf, textsOf, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { type Peer, startPeer } from "../_util/peer.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { dial } from "../_util/raw_peer.ts";
import { command, greeting, message } from "../_util/raw_zmtp.ts";
import { concat } from "../_util/octets.ts";

const cleanup = new Cleanup();
const WATCHES = { attachMetadata: true, receiveTimeout: 5_000 } as const;
const TRANSPORTS = [ANY_PORT, "ipc://*", "inproc://metadata"] as const;

function addressOn(transport: string): string {
  return transport === ANY_PORT ? "127.0.0.1" : "";
}

async function bound<S extends Socket>(socket: S, address: string = ANY_PORT): Promise<S> {
  await cleanup.add(socket).bind(address);
  return socket;
}

function connected<S extends Socket>(socket: S, to: Socket): S {
  cleanup.add(socket).connect(to.lastEndpoint!);
  return socket;
}

/** What metadataOf says, as plain values. */
function tell(message: readonly Frame[]): Record<string, unknown> | undefined {
  const found = metadataOf(message);
  if (found === undefined) return undefined;
  const { peerAddress, socketType, routingId, properties } = found;
  return {
    peerAddress,
    socketType,
    routingId: textOf(routingId),
    own: Object.fromEntries(
      [...properties].filter(([name]) => name.startsWith("x-"))
        .map(([name, value]) => [name, textOf(value)]),
    ),
  };
}

for (const transport of TRANSPORTS) {
  describe(`metadataOf a message over ${transport.split(":")[0]}`, () => {
    afterEach(() => cleanup.run());

    it("tells the peer's address, type, routing id and properties", async () => {
      const router = await bound(new Router(WATCHES), transport);
      const dealer = connected(
        new Dealer({ routingId: "me", properties: { "X-Service": "time" } }),
        router,
      );
      await dealer.send("x");
      assertEquals(tell(await router.receive()), {
        peerAddress: addressOn(transport),
        socketType: "DEALER",
        routingId: "me",
        own: { "x-service": "time" },
      });
    });

    it("tells them to the side that connects, too", async () => {
      const push = await bound(new Push({ properties: { "X-Role": "source" } }), transport);
      const pull = connected(new Pull(WATCHES), push);
      await push.send("x");
      const received = await pull.receive();
      assertEquals(tell(received), {
        peerAddress: addressOn(transport),
        socketType: "PUSH",
        routingId: "",
        own: { "x-role": "source" },
      });
    });

    it("gives properties by libzmq's names, in any case, and nothing for others", async () => {
      const router = await bound(new Router(WATCHES), transport);
      const dealer = connected(
        new Dealer({ routingId: "me", properties: { "X-Name": "größer" } }),
        router,
      );
      await dealer.send("x");
      const found = metadataOf(await router.receive())!;
      for (
        const [name, value] of [
          ["Socket-Type", "DEALER"],
          ["socket-type", "DEALER"],
          ["Identity", "me"],
          ["X-Name", "größer"],
          ["x-NAME", "größer"],
          ["Peer-Address", addressOn(transport)],
          ["X-Other", undefined],
          ["User-Id", undefined],
          ["constructor", undefined],
        ] as const
      ) {
        assertEquals(found.get(name), value, name);
      }
      assertEquals(textOf(found.properties.get("x-name")!), "größer");
    });

    it("is undefined without attachMetadata", async () => {
      const pull = await bound(new Pull({ receiveTimeout: 5_000 }), transport);
      const push = connected(new Push(), pull);
      await push.send("x");
      assertStrictEquals(metadataOf(await pull.receive()), undefined);
    });

    it("never mixes up peers, with many receives that wait and many that do not", async () => {
      const pull = await bound(new Pull(WATCHES), transport);
      const names = Array.from({ length: 10 }, (_, i) => `peer ${i}`);
      const pushes = names.map((name) =>
        connected(new Push({ properties: { "X-Name": name } }), pull)
      );
      const expectOwn = (received: readonly Frame[]): void => {
        assertEquals(metadataOf(received)!.get("X-Name"), textOf(received[0]));
      };
      const waiting = Array.from({ length: 50 }, () => pull.receive());
      for (let round = 0; round < 20; round++) {
        await Promise.all(pushes.map((push, i) => push.send([names[i], String(round)])));
      }
      for (const received of await Promise.all(waiting)) expectOwn(received);
      for (let i = 50; i < 200; i++) expectOwn(await pull.receive());
    });
  });
}

describe("metadataOf a message of", () => {
  afterEach(() => cleanup.run());

  it("a REP: the one who asked, though others have asked as well", async () => {
    const reply = await bound(new Reply(WATCHES));
    const names = ["a", "b", "c"];
    const requests = names.map((name) =>
      connected(new Request({ routingId: name, receiveTimeout: 5_000 }), reply)
    );
    for (const [i, request] of requests.entries()) await request.send(names[i]);
    for (let i = 0; i < 3; i++) {
      const question = await reply.receive();
      const { socketType, routingId } = metadataOf(question)!;
      assertEquals([socketType, textOf(routingId)], ["REQ", textOf(question[0])]);
      await reply.send(question);
    }
    for (const [i, request] of requests.entries()) {
      assertEquals(textsOf(await request.receive()), [names[i]]);
    }
  });

  it("a REQ: the one who answers", async () => {
    const reply = await bound(new Reply({ properties: { "X-Node": "7" }, receiveTimeout: 5_000 }));
    const request = connected(new Request(WATCHES), reply);
    await request.send("q");
    await reply.send(await reply.receive());
    const found = metadataOf(await request.receive())!;
    assertEquals([found.socketType, found.get("X-Node")], ["REP", "7"]);
  });

  it("a ROUTER, whose peer has no routing id: the id it announced is empty", async () => {
    const router = await bound(new Router(WATCHES));
    const dealer = connected(new Dealer(), router);
    await dealer.send("x");
    const received = await router.receive();
    assertEquals(received[0].length, 5);
    assertEquals(metadataOf(received)!.socketType, "DEALER");
  });

  it("a SUB: its publisher", async () => {
    const publisher = await bound(new XPublisher({ properties: { "X-Feed": "news" } }));
    const subscriber = connected(new Subscriber(WATCHES), publisher);
    subscriber.subscribe();
    publisher.receiveTimeout = 5_000;
    await publisher.receive();
    await publisher.send("x");
    const found = metadataOf(await subscriber.receive())!;
    assertEquals([found.socketType, found.get("X-Feed")], ["XPUB", "news"]);
  });

  it("an XPUB: the one who subscribes, and unsubscribes", async () => {
    const publisher = await bound(new XPublisher({ ...WATCHES, verbosity: "allSubsUnsubs" }));
    const names = ["a", "b"];
    const subscribers = names.map((name) =>
      connected(new XSubscriber({ properties: { "X-Name": name } }), publisher)
    );
    for (const octet of [1, 0]) {
      for (const [i, subscriber] of subscribers.entries()) {
        await subscriber.send(concat(Uint8Array.of(octet), utf8(names[i])));
        const received = await publisher.receive();
        assertEquals([received[0][0], textOf(received[0].subarray(1))], [octet, names[i]]);
        const found = metadataOf(received)!;
        assertEquals([found.socketType, found.get("X-Name")], ["XSUB", names[i]]);
      }
    }
  });

  it("a socket that is iterated over", async () => {
    const pull = await bound(new Pull(WATCHES));
    const pushes = ["a", "b"].map((name) =>
      connected(new Push({ properties: { "X-Name": name } }), pull)
    );
    for (let i = 0; i < 10; i++) {
      await pushes[0].send("a");
      await pushes[1].send("b");
    }
    let count = 0;
    for await (const received of pull) {
      assertEquals(metadataOf(received)!.get("X-Name"), textOf(received[0]));
      if (++count === 20) break;
    }
  });

  it("a socket that is asked with tryReceive", async () => {
    const pull = await bound(new Pull(WATCHES));
    const push = connected(new Push({ properties: { "X-Name": "a" } }), pull);
    await push.send("x");
    await eventually(() => pull.readable);
    assertEquals(metadataOf(pull.tryReceive()!)!.get("X-Name"), "a");
  });

  it("a socket that is read as a stream of the Web", async () => {
    const pull = await bound(new Pull(WATCHES));
    const push = connected(new Push({ properties: { "X-Name": "a" } }), pull);
    const reader = pull.readableStream().getReader();
    for (let i = 0; i < 3; i++) {
      await push.send(String(i));
      const { value } = await reader.read();
      assertEquals([String(value), metadataOf(value!)!.get("X-Name")], [String(i), "a"]);
    }
    await reader.cancel();
  });

  it("a STREAM: the address of each peer", async () => {
    const streams = await Promise.all([bound(new Stream(WATCHES)), bound(new Stream(WATCHES))]);
    for (const stream of streams) {
      for (const source of ["127.0.0.1", "127.0.0.2", "127.0.0.3"]) {
        const other = cleanup.add(new Stream());
        other.connect(stream.lastEndpoint!.replace("tcp://", `tcp://${source}:0;`));
        const { peerAddress, socketType, routingId } = metadataOf(await stream.receive())!;
        assertEquals([peerAddress, socketType, routingId.length], [source, "", 0]);
      }
    }
  });

  it("a peer that has gone: it is told all the same", async () => {
    const pull = await bound(new Pull(WATCHES));
    const push = connected(new Push({ properties: { "X-Name": "gone" } }), pull);
    await push.send("x");
    await push.close();
    assertEquals(metadataOf(await pull.receive())!.get("X-Name"), "gone");
  });

  it("a peer that changed its properties between two connections: those of its time", async () => {
    const pull = await bound(new Pull(WATCHES));
    const push = connected(new Push({ properties: { "X-Turn": "1" } }), pull);
    await push.send("1");
    const first = await pull.receive();
    push.disconnect(pull.lastEndpoint!);
    push.properties = { "X-Turn": "2" };
    push.connect(pull.lastEndpoint!);
    await push.send("2");
    const second = await pull.receive();
    assertEquals(metadataOf(first)!.get("X-Turn"), "1");
    assertEquals(metadataOf(second)!.get("X-Turn"), "2");
  });

  it("nobody: what was not received has none", () => {
    for (const value of [[], [utf8("x")], ["x"], null, undefined, "x", 5]) {
      assertStrictEquals(metadataOf(value as never), undefined);
    }
  });

  it("a peer with properties of many kinds, in any case", async () => {
    const pull = await bound(new Pull(WATCHES));
    const peer = cleanup.add(await dial(pull.lastEndpoint!));
    const binary = Uint8Array.of(0, 255, 128);
    const properties = [
      property("socket-TYPE", utf8("PUSH")),
      property("X-Binary", binary),
      property("x-lower", utf8("l")),
      property("X-empty", new Uint8Array(0)),
      property("Other", utf8("no X")),
    ];
    peer.send(greeting(), command("READY", concat(...properties)), message("x"));
    const found = metadataOf(await pull.receive())!;
    assertEquals(found.socketType, "PUSH");
    assertEquals([...found.properties.get("x-binary")!], [...binary]);
    assertEquals(
      [found.get("X-LOWER"), found.get("X-Empty"), found.get("other")],
      ["l", "", "no X"],
    );
  });
});

describe("attachMetadata", () => {
  afterEach(() => cleanup.run());

  it("may be switched on and off under way, for what is received then", async () => {
    const pull = await bound(new Pull({ receiveTimeout: 5_000 }));
    const push = connected(new Push(), pull);
    for (const on of [false, true, false, true]) {
      pull.attachMetadata = on;
      await push.send("x");
      assertEquals(metadataOf(await pull.receive()) !== undefined, on);
    }
  });

  it("keeps no message from being collected, nor peers apart that are the same", async () => {
    const pair = await bound(new Pair(WATCHES));
    const other = connected(new Pair(), pair);
    await other.send("1");
    await other.send("2");
    const [one, two] = [metadataOf(await pair.receive())!, metadataOf(await pair.receive())!];
    assertEquals(one.peerAddress, two.peerAddress);
    assert(one.properties instanceof Map || typeof one.properties.get === "function");
  });
});

describe("metadataOf a message of libzmq", () => {
  let peer: Peer;
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(() => cleanup.run());

  for (const transport of [ANY_PORT, "ipc://*"]) {
    it(`tells what libzmq says of itself, over ${transport.split(":")[0]}`, async () => {
      const router = await bound(new Router(WATCHES), transport);
      const dealer = await peer.open("Dealer", { routingId: "libzmq" });
      await dealer.connect(router.lastEndpoint!);
      await dealer.send("x");
      assertEquals(tell(await router.receive()), {
        peerAddress: addressOn(transport),
        socketType: "DEALER",
        routingId: "libzmq",
        own: {},
      });
      await dealer.close();
    });
  }
});

function property(name: string, value: Uint8Array): Uint8Array {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, value.length);
  return concat(Uint8Array.of(name.length), utf8(name), size, value);
}
