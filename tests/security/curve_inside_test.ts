// What else than messages is sealed: subscriptions in the encodings of ZMTP 3.0 and 3.1, PING and PONG. And the limit for
// frames, which is one for what they are in clear.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Publisher, Pull, Router, Subscriber, XPublisher } from "../../mod.ts";
import { assertFrames, textOf, toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { INNER_COMMAND, messageFrame, properties } from "../_util/curve_commands.ts";
import type { CurveClient } from "../_util/curve_oracle.ts";
import { curveConnect, type RawParty } from "../_util/curve_raw.ts";
import { CLIENT, SERVER, SERVER_OPTIONS } from "../_util/curve_stage.ts";
import { eventually } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { concat, pattern } from "../_util/octets.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const RECEIVES = { receiveTimeout: 5_000 } as const;
const cleanup = new Cleanup();

/** Joins a socket that is bound as a peer of this type. */
async function join(
  socket: { readonly lastEndpoint: string | null },
  type: string,
  minor: number,
): Promise<RawParty<CurveClient>> {
  const setup = {
    serverKey: SERVER.publicKey,
    keys: CLIENT,
    metadata: properties(["Socket-Type", type]),
  };
  const raw = await curveConnect(socket.lastEndpoint!, setup, { minor });
  cleanup.add(raw.connection);
  return raw;
}

describe("a subscription to a CURVE publisher", () => {
  afterEach(() => cleanup.run());

  const encodings: Readonly<
    Record<string, (peer: CurveClient, subscribe: boolean, topic: string) => Uint8Array>
  > = {
    "as a command": (peer, subscribe, topic) =>
      peer.command(subscribe ? "SUBSCRIBE" : "CANCEL", topic),
    "as a message": (peer, subscribe, topic) =>
      peer.send(concat(Uint8Array.of(subscribe ? 1 : 0), utf8(topic))),
  };
  for (const [how, encode] of Object.entries(encodings)) {
    for (const minor of [0, 1]) {
      it(`CURVE-MSG-10: may come ${how} in a seal, from a peer of ZMTP 3.${minor}`, async () => {
        const publisher = cleanup.add(new XPublisher({ ...RECEIVES, ...SERVER_OPTIONS }));
        await publisher.bind(ANY_PORT);
        const raw = await join(publisher, "SUB", minor);
        const { party, connection } = raw;
        for (const topic of ["abc", "", "t".repeat(255), "t".repeat(300)]) {
          connection.send(encode(party, true, topic));
          assertFrames(await publisher.receive(), [`\x01${topic}`]);
          await publisher.send([`${topic} news`, "body"]);
          assertFrames(await raw.hear(), [`${topic} news`, "body"]);
          connection.send(encode(party, false, topic));
          assertFrames(await publisher.receive(), [`\0${topic}`]);
          await publisher.send(topic === "" ? "any" : topic);
          connection.send(encode(party, true, "end"));
          await publisher.receive();
          await publisher.send("end");
          assertFrames(await raw.hear(), ["end"]);
          connection.send(encode(party, false, "end"));
          await publisher.receive();
        }
      });
    }
  }

  it("CURVE-MSG-08: in clear is the end", async () => {
    const publisher = cleanup.add(new Publisher(SERVER_OPTIONS));
    const log = new EventLog(publisher);
    await publisher.bind(ANY_PORT);
    const { connection } = await join(publisher, "SUB", 0);
    connection.send(Uint8Array.of(0, 1, 1));
    await connection.untilClosed();
    const { error } = await log.next("disconnect");
    assertEquals((error as { code?: string }).code, "ERR_ZMTP_UNEXPECTED_COMMAND");
  });
});

describe("a CURVE subscriber", () => {
  afterEach(() => cleanup.run());

  for (const minor of [0, 1]) {
    it(`CURVE-MSG-10: subscribes as a peer of ZMTP 3.${minor} understands`, async () => {
      const subscriber = cleanup.add(new Subscriber({ ...RECEIVES, ...SERVER_OPTIONS }));
      subscriber.subscribe("abc", "x".repeat(300));
      await subscriber.bind(ANY_PORT);
      const raw = await join(subscriber, "PUB", minor);
      const expected = (subscribe: boolean, topic: string): string => {
        if (minor === 0) return `0:${subscribe ? "\x01" : "\0"}${topic}`;
        return `${INNER_COMMAND}:${subscribe ? "\x09SUBSCRIBE" : "\x06CANCEL"}${topic}`;
      };
      const next = async (): Promise<string> => {
        const { flags, payload } = await raw.take();
        return `${flags}:${textOf(payload)}`;
      };
      assertEquals(await next(), expected(true, "abc"));
      assertEquals(await next(), expected(true, "x".repeat(300)));
      subscriber.unsubscribe("abc");
      assertEquals(await next(), expected(false, "abc"));
      raw.say("x".repeat(300), "news");
      assertFrames(await subscriber.receive(), ["x".repeat(300), "news"]);
    });
  }

  it("keeps what it wants of sealed messages, and nothing else", async () => {
    const subscriber = cleanup.add(new Subscriber({ ...RECEIVES, ...SERVER_OPTIONS }));
    subscriber.subscribe("a");
    await subscriber.bind(ANY_PORT);
    const raw = await join(subscriber, "PUB", 1);
    for (const topic of ["b", "ab", "", "c", "a"]) {
      raw.say(topic, pattern(10));
      raw.say(topic, pattern(100_000));
    }
    for (const topic of ["ab", "a"]) {
      for (const size of [10, 100_000]) {
        const [first, body] = await subscriber.receive();
        assertEquals([textOf(first), body.length], [topic, size]);
      }
    }
    assertEquals(subscriber.readable, false);
  });
});

describe("PING in a CURVE connection", () => {
  afterEach(() => cleanup.run());

  for (const minor of [0, 1]) {
    it(`CURVE-MSG-04: is answered inside, also within a message (ZMTP 3.${minor})`, async () => {
      const router = cleanup.add(new Router({ ...RECEIVES, ...SERVER_OPTIONS }));
      await router.bind(ANY_PORT);
      const raw = await join(router, "DEALER", minor);
      const { party, connection } = raw;
      connection.send(
        party.command("PING", "\0\0first"),
        messageFrame(party.message("one", 1)),
        party.command("PING", "\0\x01sixteen octets !"),
        messageFrame(party.message("two")),
        party.command("PING", "\0\0"),
      );
      for (const context of ["first", "sixteen octets !", ""]) {
        const { flags, payload } = await raw.take();
        assertEquals([flags, textOf(payload)], [INNER_COMMAND, `\x04PONG${context}`]);
      }
      const [, ...frames] = await router.receive();
      assertFrames(frames, ["one", "two"]);
    });
  }

  it("is sent inside, and a PONG inside keeps the connection", async () => {
    const dealer = cleanup.add(
      new Dealer({ heartbeatInterval: 20, heartbeatTimeout: 400, ...RECEIVES, ...SERVER_OPTIONS }),
    );
    const log = new EventLog(dealer);
    await dealer.bind(ANY_PORT);
    const raw = await join(dealer, "DEALER", 1);
    for (let i = 0; i < 5; i++) {
      const { flags, payload } = await raw.take();
      assertEquals([flags, toHex(payload).slice(0, 10)], [INNER_COMMAND, "0450494e47"]);
      raw.connection.send(raw.party.command("PONG", payload.slice(7)));
    }
    assertEquals(log.of("disconnect"), []);
    // Silence ends it.
    await raw.connection.untilClosed();
  });

  it("CURVE-MSG-08: is answered only when it is sealed", async () => {
    const router = cleanup.add(new Router({ ...RECEIVES, ...SERVER_OPTIONS }));
    await router.bind(ANY_PORT);
    const { connection } = await join(router, "DEALER", 1);
    connection.send(Uint8Array.of(4, 7), utf8("\x04PING\0\0"));
    await connection.untilClosed();
    assertEquals(connection.available, 0);
  });
});

describe("maxMessageSize of a CURVE socket", () => {
  afterEach(() => cleanup.run());

  it("is about the frame in clear, and does not stand in the way of the handshake", async () => {
    for (const limit of [0, 10, 500, 70_000]) {
      const options = { ...RECEIVES, ...SERVER_OPTIONS, maxMessageSize: limit };
      const pull = cleanup.add(new Pull(options));
      const log = new EventLog(pull);
      await pull.bind(ANY_PORT);
      const raw = await join(pull, "PUSH", 1);
      raw.say(pattern(limit), pattern(limit));
      assertFrames(await pull.receive(), [pattern(limit), pattern(limit)]);
      raw.say("", pattern(limit + 1));
      await raw.connection.untilClosed();
      const { error } = await log.next("disconnect");
      assertEquals((error as { code?: string }).code, "EMSGSIZE");
      assert(error!.message.includes(`${limit + 1} octets`), error!.message);
      await eventually(() => log.of("disconnect").length === 1, 1_000);
      assertEquals(pull.readable, false);
    }
  });
});

describe("a CURVE connection", () => {
  afterEach(() => cleanup.run());

  it("CURVE-KEY-02, CURVE-KEY-04: has keys of its own each time", async () => {
    const router = cleanup.add(new Router({ ...RECEIVES, ...SERVER_OPTIONS }));
    await router.bind(ANY_PORT);
    const keys = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const { party, connection } = await join(router, "DEALER", 1);
      for (const key of [party.key, party.serverTransient, party.cookie]) keys.add(toHex(key));
      connection.destroy();
    }
    assertEquals(keys.size, 15);
  });

  it("that is replayed to the last octet is refused", async () => {
    const pull = cleanup.add(new Pull({ ...RECEIVES, ...SERVER_OPTIONS }));
    const log = new EventLog(pull);
    await pull.bind(ANY_PORT);
    const first = await join(pull, "PUSH", 1);
    const recorded = first.party.send("pay 100");
    first.connection.send(recorded);
    assertFrames(await pull.receive(), ["pay 100"]);
    const second = await join(pull, "PUSH", 1);
    second.connection.send(recorded);
    await second.connection.untilClosed();
    const { error } = await log.next("disconnect");
    assertEquals((error as { code?: string }).code, "ERR_ZMTP_CRYPTOGRAPHIC");
    assertEquals(pull.readable, false);
  });
});
