// Subscriptions and messages as octets, with raw peers of ZMTP 3.0 and 3.1 that know the golden
// vectors only.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull } from "../../mod.ts";
import { assertFrames, fromHex, textsOf } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { assertOctets, concat } from "../_util/octets.ts";
import { openOurs, OurEnd } from "../_util/pubsub_ends.ts";
import { dial, type RawConnection, RawServer } from "../_util/raw_peer.ts";
import {
  cancelCommand,
  cancelMessage,
  shakeHandsAsOld,
  subscribeCommand,
  subscribeMessage,
} from "../_util/raw_subscriptions.ts";
import { command, message, shakeHands, takeMessage } from "../_util/raw_zmtp.ts";
import { vector } from "../_util/vectors.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const MINORS = [0, 1] as const;
const T254 = "t".repeat(254);
const T255 = "t".repeat(255);
const T246 = "t".repeat(246);

/** Vectors by what they ask for. */
const REQUESTS: readonly [id: string, first: 0 | 1, topic: string, octets: Uint8Array][] = [
  ["GV-30-01", 1, "abc", vector("GV-30-01")],
  ["GV-30-02", 0, "abc", vector("GV-30-02")],
  ["GV-30-03", 1, "", fromHex("00 01 01")],
  ["GV-30-03", 0, "", fromHex("00 01 00")],
  ["GV-30-04", 1, T254, vector("GV-30-04")],
  ["GV-30-05", 1, T255, vector("GV-30-05")],
  ["GV-C-10", 1, "abc", vector("GV-C-10")],
  ["GV-C-11", 1, "", vector("GV-C-11")],
  ["GV-C-12", 0, "abc", vector("GV-C-12")],
  ["GV-C-13", 1, T246, vector("GV-C-13")],
];

const cleanup = new Cleanup();

async function handshake(connection: RawConnection, type: string, minor: 0 | 1): Promise<void> {
  if (minor === 1) await shakeHands(connection, type);
  else await shakeHandsAsOld(connection, type);
}

/** Connects as a subscriber. */
async function joinAs(type: string, endpoint: string, minor: 0 | 1): Promise<RawConnection> {
  const connection = cleanup.add(await dial(endpoint));
  await handshake(connection, type, minor);
  return connection;
}

/** Takes the octets that must come next, and nothing else. */
async function takes(connection: RawConnection, ...expected: Uint8Array[]): Promise<void> {
  const octets = concat(...expected);
  assertOctets(await connection.take(octets.length), octets);
  assertEquals(connection.available, 0);
}

for (const minor of MINORS) {
  describe(`a publisher, with a raw subscriber of ZMTP 3.${minor}`, () => {
    afterEach(() => cleanup.run());

    const publisher = async <T extends "Publisher" | "XPublisher">(
      type: T,
      options: object = {},
    ): Promise<ReturnType<typeof openOurs<T>>> => {
      const socket = openOurs(type, options);
      cleanup.add(socket);
      await socket.bind(ANY_PORT);
      return socket;
    };

    for (const [id, first, topic, octets] of REQUESTS) {
      const what = `${first === 1 ? "subscribe to" : "unsubscribe from"} ${topic.length} octets`;
      it(`${id}, ZMTP31-SUB-06: PUB understands ${what}`, async () => {
        const pub = await publisher("Publisher");
        const sub = await joinAs("SUB", pub.lastEndpoint!, minor);
        if (first === 0) {
          sub.send(minor === 1 ? subscribeMessage(topic) : subscribeCommand(topic));
          await eventually(() => pub.topicsCount === 1);
        }
        sub.send(octets);
        await eventually(() => pub.topicsCount === first);
        sub.send(subscribeMessage("\xff")); // what comes under it is the end
        await eventually(() => pub.topicsCount === first + 1);
        await pub.send([topic, "itself"]);
        await pub.send([`${topic}+`, "more"]);
        await pub.send([topic.length === 0 ? "any" : topic.slice(1), "another"]);
        await pub.send("\xff");
        if (first === 1) {
          assertFrames(await takeMessage(sub), [topic, "itself"]);
          assertFrames(await takeMessage(sub), [`${topic}+`, "more"]);
        }
        if (first === 1 && topic === "") assertFrames(await takeMessage(sub), ["any", "another"]);
        assertFrames(await takeMessage(sub), ["\xff"]);
      });

      it(`${id}, GV-PS-02: XPUB shows ${what} as ${first} and the topic`, async () => {
        const pub = await publisher("XPublisher", { verbosity: "allSubsUnsubs" });
        const sub = await joinAs("XSUB", pub.lastEndpoint!, minor);
        for (const octet of octets) await sub.flush(Uint8Array.of(octet));
        const [frame] = await pub.receive();
        assertOctets(frame, concat(Uint8Array.of(first), new TextEncoder().encode(topic)));
        sub.send(octets, octets, octets); // all in one go
        for (let i = 0; i < 3; i++) assertEquals(await pub.receive(), [frame]);
        assertEquals(pub.topicsCount, first);
      });
    }

    it("PUB-02: PUB sends a message as it is", async () => {
      const pub = await publisher("Publisher");
      const sub = await joinAs("SUB", pub.lastEndpoint!, minor);
      sub.send(subscribeMessage(""));
      await eventually(() => pub.topicsCount === 1);
      await pub.send(["A", "", "BB"]);
      await takes(sub, vector("GV-F-03"));
      await pub.send("hello");
      await takes(sub, vector("GV-F-02"));
      await pub.send("");
      await takes(sub, vector("GV-F-01"));
      await pub.send(["a".repeat(256), "b"]);
      await takes(sub, vector("GV-F-06"));
    });

    it("PUBSUB-X-02: a repeated subscription counts once, in whatever form", async () => {
      const pub = await publisher("XPublisher", { verbosity: "allSubsUnsubs" });
      const sub = await joinAs("SUB", pub.lastEndpoint!, minor);
      sub.send(subscribeMessage("x"), subscribeCommand("x"), subscribeCommand("x"));
      sub.send(subscribeMessage("end"), cancelMessage("x"));
      for (const request of ["\x01x", "\x01x", "\x01x", "\x01end", "\0x"]) {
        assertEquals(textsOf(await pub.receive()), [request]);
      }
      await pub.send("x");
      await pub.send("end");
      await takes(sub, message("end"));
    });

    it("PUBSUB-X-03: the end of what nobody had is harmless", async () => {
      const pub = await publisher("Publisher");
      const sub = await joinAs("SUB", pub.lastEndpoint!, minor);
      sub.send(cancelCommand("x"), cancelMessage("y"), cancelMessage(""), subscribeMessage("xy"));
      sub.send(cancelCommand("x"), cancelMessage("xyz"), cancelCommand(""));
      await eventually(() => pub.topicsCount === 1);
      await pub.send("xyzzy");
      await takes(sub, message("xyzzy"));
    });

    it("PUB-01: PUB drops other messages, XPUB-07: XPUB shows them", async () => {
      for (const type of ["Publisher", "XPublisher"] as const) {
        const pub = await publisher(type);
        const sub = await joinAs("XSUB", pub.lastEndpoint!, minor);
        sub.send(message("up"), message("a", "b"), message(""), message("\x02"));
        sub.send(subscribeMessage("x"));
        await eventually(() => pub.topicsCount === 1);
        await pub.send("x");
        await takes(sub, message("x"));
        if (!("receive" in pub)) continue;
        for (const frames of [["up"], ["a", "b"], [""], ["\x02"], ["\x01x"]]) {
          assertEquals(textsOf(await pub.receive()), frames);
        }
      }
    });

    it("ZMTP31-CMD-04, ZMTP31-CMD-06: commands come between the frames of a message", async () => {
      const pub = await publisher("XPublisher");
      const sub = await joinAs("XSUB", pub.lastEndpoint!, minor);
      const [first, second] = [message("a", "b").subarray(0, 3), message("b")];
      sub.send(first, subscribeCommand("x"), command("UNKNOWN"), cancelCommand("x"), second);
      sub.send(subscribeCommand("y"));
      const received = [];
      for (let i = 0; i < 4; i++) received.push(textsOf(await pub.receive()));
      assertEquals(received.filter((frames) => frames.length === 2), [["a", "b"]]);
      assertEquals(
        received.filter((frames) => frames.length === 1).flat(),
        ["\x01x", "\0x", "\x01y"],
      );
    });

    it("XPUB-08: XPUB sends its welcome message first", async () => {
      const pub = await publisher("XPublisher", { welcomeMessage: Uint8Array.of(0, 255) });
      const sub = await joinAs("SUB", pub.lastEndpoint!, minor);
      await takes(sub, fromHex("00 02 00 ff"));
      sub.send(subscribeMessage("x"));
      await pub.receive();
      await pub.send("x");
      await takes(sub, message("x"));
    });

    it("XPUB-05: a closed connection ends its subscriptions, each once", async () => {
      const pub = await publisher("XPublisher");
      const sub = await joinAs("SUB", pub.lastEndpoint!, minor);
      sub.send(subscribeMessage("a"), subscribeCommand("b"), subscribeCommand("a"));
      sub.send(message("\x01c").subarray(0, 3)); // half a request
      for (const request of ["\x01a", "\x01b"]) {
        assertEquals(textsOf(await pub.receive()), [request]);
      }
      sub.destroy();
      const gone = [await pub.receive(), await pub.receive()].flatMap(textsOf);
      assertEquals(gone.toSorted(), ["\0a", "\0b"]);
      assertEquals(pub.topicsCount, 0);
    });

    it("LZ-DEV-05: a topic of 255 octets that is misframed ends one connection only", async () => {
      const pub = await publisher("Publisher");
      const good = await joinAs("SUB", pub.lastEndpoint!, minor);
      good.send(subscribeMessage("x"));
      const bad = await joinAs("SUB", pub.lastEndpoint!, minor);
      const misframed = vector("GV-30-05").slice();
      misframed[0] = 0; // the size takes 8 octets all the same
      bad.send(subscribeMessage("y"));
      await eventually(() => pub.topicsCount === 2);
      bad.send(misframed);
      await bad.untilClosed();
      await eventually(() => pub.topicsCount === 1);
      await pub.send("x");
      await takes(good, message("x"));
    });
  });

  describe(`a subscriber, with a raw publisher of ZMTP 3.${minor}`, () => {
    afterEach(() => cleanup.run());

    const asked = minor === 1 ? subscribeCommand : subscribeMessage;
    const ended = minor === 1 ? cancelCommand : cancelMessage;
    const subscriber = async (
      type: "Subscriber" | "XSubscriber",
      ...topics: string[]
    ): Promise<[OurEnd, RawServer]> => {
      const server = cleanup.add(await RawServer.listen());
      const sub = new OurEnd(cleanup.add(openOurs(type, { reconnectInterval: 10 })));
      await sub.subscribe(...topics);
      await sub.connect(server.endpoint);
      return [sub, server];
    };
    const accept = async (server: RawServer, type = "PUB"): Promise<RawConnection> => {
      const connection = await server.accept();
      await handshake(connection, type, minor);
      return connection;
    };

    for (const type of ["Subscriber", "XSubscriber"] as const) {
      const form = minor === 1
        ? "ZMTP31-SUB-02, ZMTP31-SUB-03"
        : "ZMTP30-SUB-01, ZMTP30-SUB-02, ZMTP30-SUB-03, ZMTP30-SUB-04";
      it(`${form}: ${type} sends the golden vectors`, async () => {
        const ids = minor === 1 ? /^GV-C/ : /^GV-30/;
        for (const [, first, topic, octets] of REQUESTS.filter(([id]) => ids.test(id))) {
          if (first === 0) continue;
          const [sub, server] = await subscriber(type, topic);
          const pub = await accept(server);
          await takes(pub, octets);
          await sub.unsubscribe(topic);
          await takes(pub, ended(topic));
          await sub.subscribe(topic);
          await takes(pub, octets);
        }
        const [sub, server] = await subscriber(type, "abc");
        const pub = await accept(server, "XPUB");
        await sub.unsubscribe("abc");
        await takes(pub, asked("abc"), vector(minor === 1 ? "GV-C-12" : "GV-30-02"));
      });

      it(`SUB-05, PUBSUB-X-01: ${type} sends each topic once on every connection`, async () => {
        const [sub, server] = await subscriber(type, "a", "a", "", "gone", "a");
        await sub.unsubscribe("gone", "a");
        for (let connections = 0; connections < 3; connections++) {
          const pub = await accept(server);
          const octets = [asked("a"), asked("")];
          const sent = await pub.take(concat(...octets).length);
          const orders = [concat(...octets), concat(...octets.toReversed())].map(String);
          assertEquals(orders.includes(String(sent)), true, String(sent));
          await sub.subscribe("a", "new");
          await takes(pub, asked("new"));
          await sub.unsubscribe("a", "new", "never");
          await takes(pub, ended("new"));
          pub.destroy();
        }
      });

      it(`${type} asks a new publisher of another version in its own form`, async () => {
        const [sub, server] = await subscriber(type, "x");
        await takes(await accept(server), asked("x"));
        const other = cleanup.add(await RawServer.listen());
        await sub.connect(other.endpoint);
        const pub = await other.accept();
        await handshake(pub, "XPUB", minor === 1 ? 0 : 1);
        await takes(pub, minor === 1 ? subscribeMessage("x") : subscribeCommand("x"));
      });
    }

    it("GV-PS-01: SUB filters what a publisher sends in spite of it", async () => {
      const [sub, server] = await subscriber("Subscriber", "A");
      const pub = await accept(server);
      pub.send(fromHex("00 02 4278"), fromHex("00 02 4178"));
      assertFrames(await sub.receive(), ["Ax"]);
      pub.send(message("B", "A"), message(""), message("A", "B", ""));
      assertFrames(await sub.receive(), ["A", "B", ""]);
      await sub.unsubscribe("A");
      await sub.subscribe("C");
      pub.send(message("A"), message("C"));
      assertFrames(await sub.receive(), ["C"]);
    });

    it("XSUB-02: XSUB takes all that a publisher sends", async () => {
      const [sub, server] = await subscriber("XSubscriber", "A");
      const pub = await accept(server, "XPUB");
      pub.send(message("B", "A"), message(""), message("A"), message("\x01A"));
      for (const frames of [["B", "A"], [""], ["A"], ["\x01A"]]) {
        assertFrames(await sub.receive(), frames);
      }
    });

    it("XSUB-03, XSUB-04: XSUB sends a user's messages as they are", async () => {
      const [sub, server] = await subscriber("XSubscriber");
      const pub = await accept(server, "XPUB");
      await sub.send("up");
      await sub.send("A", "", "BB");
      await sub.subscribe("x");
      await sub.send("");
      await takes(pub, message("up"), vector("GV-F-03"), asked("x"), message(""));
    });

    it("ZMTP31-CMD-07: SUBSCRIBE and CANCEL are nothing to who does not publish", async () => {
      const [sub, server] = await subscriber("Subscriber", "x");
      const pub = await accept(server);
      pub.send(subscribeCommand("y"), message("x"), cancelCommand("x"), message("x", "2"));
      assertFrames(await sub.receive(), ["x"]);
      assertFrames(await sub.receive(), ["x", "2"]);
      const pull = cleanup.add(new Pull({ receiveTimeout: 5_000 }));
      await pull.bind(ANY_PORT);
      const push = await joinAs("PUSH", pull.lastEndpoint!, minor);
      push.send(subscribeCommand("y"), message("1"), cancelCommand("x"), message("2"));
      assertFrames(await pull.receive(), ["1"]);
      assertFrames(await pull.receive(), ["2"]);
    });
  });
}
