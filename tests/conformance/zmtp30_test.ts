// Peers of ZMTP 3.0 (RFC 23): what differs from 3.1.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Publisher, Subscriber, XSubscriber } from "../../mod.ts";
import type { ZmqError } from "../../src/errors.ts";
import { readStream } from "../core/models/frame_model.ts";
import { textOf, textsOf, toHex, utf8 } from "../_util/bytes.ts";
import { LinkStand, messagesAfterHandshake } from "../_util/link_stand.ts";
import { assertMessages, assertOctets, concat } from "../_util/octets.ts";
import { OldStage } from "../_util/old_peer.ts";
import { waysOf } from "../_util/old_vectors.ts";
import { turn } from "../_util/pattern_stage.ts";
import { oldGreeting } from "../_util/raw_subscriptions.ts";
import { command, greeting, message, ping, ready } from "../_util/raw_zmtp.ts";
import { readyProperties } from "../_util/ready_properties.ts";
import { failure } from "../_util/rejection.ts";
import { ALL_TYPES, LEGAL_PEERS, newSession, outputOf, OWN_TYPES } from "../_util/session_pair.ts";
import { expand, vector } from "../_util/vectors.ts";
import zmtp30 from "./vectors/zmtp30.json" with { type: "json" };

const GREETING = vector("GV-G-02");
const REQUESTS = zmtp30.requests.map(({ hex, topic, ...request }) => ({
  ...request,
  octets: expand(hex),
  topic: textOf(expand(topic)),
}));
const stage = new OldStage();

/** The octets of a greeting for another mechanism. */
function greetingFor(mechanism: string, asServer: boolean): Uint8Array {
  const octets = greeting(mechanism);
  octets[11] = 0;
  octets[32] = asServer ? 1 : 0;
  return octets;
}

describe("a peer of ZMTP 3.0", () => {
  afterEach(() => stage.close());

  it("says so by the minor version 00, and ours goes on saying 01 (ZMTP30-VER-01)", () => {
    for (const deliver of waysOf(concat(GREETING, ready("ROUTER")))) {
      const stand = new LinkStand();
      stand.link.start();
      deliver(stand.stream);
      assertEquals(stand.pipe.protocol, "3.0");
      assertOctets(stand.stream.takeOutput().subarray(0, 64), greeting());
    }
    assertOctets(GREETING.subarray(0, 8), oldGreeting().subarray(0, 8));
  });

  it("takes ours, which is later, and is spoken to as it speaks (ZMTP30-VER-02)", async () => {
    const [subscriber, next] = stage.connecting(Subscriber, { heartbeatInterval: 1 });
    subscriber.subscribe("a");
    const stream = await next();
    stream.deliver(concat(GREETING, ready("PUB"), message("ab"), message("b")));
    subscriber.subscribe("b");
    await turn();
    const { messages, commands } = readStream(stream.takeOutput().subarray(64));
    assertEquals(messages.map(textsOf), [["\x01a"], ["\x01b"]]);
    assertEquals(commands.map(({ body }) => textOf(body.subarray(1, 6))), ["READY"]);
    assertEquals(textsOf(subscriber.tryReceive()!), ["ab"]);
  });

  it("gets READY without having sent one: both may say it first (ZMTP30-NULL-01)", () => {
    for (const type of OWN_TYPES) {
      const session = newSession(type);
      outputOf(session);
      session.receive(GREETING);
      const said = outputOf(session);
      assertEquals(textOf(said.subarray(57, 62)), "READY");
      assertEquals(session.state, "handshake");
    }
  });

  it("is parsed and validated by its READY, and told when it does not fit (ZMTP30-NULL-02)", () => {
    for (
      const [octets, code] of [
        [ready("PUB"), "ERR_ZMTP_INVALID_METADATA"],
        [command("READY", utf8("\x0bSocket-Type\0\0\0\x09DEALER")), undefined],
        [command("READY", utf8("\0")), undefined],
      ] as const
    ) {
      const stand = new LinkStand();
      stand.link.start();
      stand.stream.deliver(concat(GREETING, octets, message("hi")));
      assertEquals([stand.calls, stand.receiveAll()], [["ended"], []]);
      if (code === undefined) continue;
      assertEquals((stand.error as ZmqError).code, code);
      assert(toHex(stand.stream.takeOutput()).endsWith(toHex(vector("GV-C-08"))));
    }
  });

  it("may send messages right behind its READY, before it has ours (ZMTP30-NULL-03)", () => {
    for (const octets of [message("a"), concat(message("a", "b"), message("c"))]) {
      const stand = new LinkStand();
      stand.link.start();
      stand.stream.deliver(concat(GREETING.subarray(0, 20)));
      stand.stream.deliver(concat(GREETING.subarray(20), ready("ROUTER"), octets));
      assertMessages(stand.receiveAll(), readStream(octets).messages);
    }
  });

  it("is a server when its greeting says so, not when it is bound (ZMTP30-TOPO-01)", async () => {
    const credentials = { plainUsername: "a", plainPassword: "b" };
    const [, accept] = await stage.bound(Dealer, credentials);
    const [, next] = stage.connecting(Dealer, credentials);
    for (const stream of [accept(), await next()]) {
      stream.deliver(greetingFor("PLAIN", true));
      const said = stream.takeOutput();
      assertEquals([said[32], toHex(said.subarray(64))], [0, "040a0548454c4c4f01610162"]);
    }
    const [, acceptClient] = await stage.bound(Dealer, { plainServer: true });
    const [, nextClient] = stage.connecting(Dealer, { plainServer: true });
    for (const stream of [acceptClient(), await nextClient()]) {
      stream.deliver(greetingFor("PLAIN", false));
      const said = stream.takeOutput();
      assertEquals([said[32], said.length], [1, 64], "it waits for HELLO");
      assertEquals(stream.calls.includes("abort"), false);
    }
  });

  it("is told the type and the routing id, and may tell these: nothing else is defined (ZMTP30-META-01)", () => {
    for (const type of OWN_TYPES) {
      const session = newSession(type, "me");
      session.receive(concat(GREETING, ready(LEGAL_PEERS[type][0], "you")));
      const said = readStream(outputOf(session).subarray(64)).commands[0].body;
      const names = Object.keys(readyProperties(said));
      const named = ["REQ", "DEALER", "ROUTER"].includes(type);
      assertEquals(names, ["Socket-Type", ...(named ? ["Identity"] : [])]);
      assertEquals(session.peer!.socketType, LEGAL_PEERS[type][0]);
      assertEquals(textOf(session.peer!.routingId), "you");
    }
  });

  it("may have any routing id of up to 255 octets, also one that begins with zero (ZMTP30-ID-01)", () => {
    for (const id of ["", "\0", "\0\0\0\0\x01", "a", "\0".repeat(255)]) {
      const session = newSession("ROUTER");
      session.receive(concat(GREETING, ready("DEALER", id)));
      assertEquals(textOf(session.peer!.routingId), id);
    }
    const octets = concat(GREETING, ready("DEALER", "x".repeat(256)));
    failure(() => newSession("ROUTER").receive(octets), "ERR_ZMTP_INVALID_METADATA");
  });

  it("is of one of eleven types: those of 3.1 are none (ZMTP30-TYPE-01)", () => {
    assertEquals(OWN_TYPES.length, 11);
    for (const own of OWN_TYPES) {
      for (const type of ALL_TYPES) {
        const octets = concat(GREETING, ready(type));
        const session = newSession(own);
        if (LEGAL_PEERS[own].includes(type)) session.receive(octets);
        else failure(() => session.receive(octets), "ERR_ZMTP_INVALID_METADATA");
      }
    }
  });

  it("gets no commands but READY and ERROR, whatever its options are (ZMTP30-CMD-01, ZMTP30-HB-01)", () => {
    for (const type of OWN_TYPES) {
      const options = { heartbeatInterval: 10, heartbeatTimeout: 30, heartbeatTimeToLive: 500 };
      const stand = new LinkStand({ type, options });
      stand.link.start();
      stand.stream.deliver(concat(GREETING, ready(LEGAL_PEERS[type][0])));
      stand.host.clock.advance(10_000);
      const { commands } = readStream(stand.stream.takeOutput().subarray(64));
      const names = commands.map(({ body }) => textOf(body.subarray(1, 1 + body[0])));
      assertEquals([names, stand.calls.length], [["READY"], 1]);
    }
  });

  it("gets a PONG for a PING all the same, and may send what it does not know (ZMTP30-CMD-01, ZMTP30-HB-01)", () => {
    const stand = new LinkStand();
    stand.link.start();
    stand.stream.deliver(concat(GREETING, ready("ROUTER")));
    stand.stream.takeOutput();
    stand.stream.deliver(concat(command("UNKNOWN"), ping("x"), message("hi")));
    assertOctets(stand.stream.takeOutput(), vector("GV-C-15"));
    assertMessages(stand.receiveAll(), [[utf8("hi")]]);
  });
});

describe("subscriptions of ZMTP 3.0", () => {
  afterEach(() => stage.close());

  for (const { id, meaning, octets, subscribes, topic } of REQUESTS) {
    const rule = subscribes ? "ZMTP30-SUB-01" : "ZMTP30-SUB-02";
    it(`${id} is read whole, cut anywhere, and with a tail: ${meaning} (${rule})`, async () => {
      const [publisher, accept] = await stage.bound(Publisher);
      const { size } = { size: octets.length };
      const cuts = [1, 2, 3, 9, 10, 11, size - 1].filter((at) => at < size);
      for (const tail of [utf8(""), message("\x01other"), message("up").subarray(0, 3)]) {
        for (const at of [0, ...cuts, -1]) {
          const stream = accept();
          stream.deliver(concat(GREETING, ready("SUB")));
          if (!subscribes) stream.deliver(message(`\x01${topic}`));
          const all = concat(octets, tail);
          if (at < 0) stream.deliver(all, 1);
          else for (const piece of [all.subarray(0, at), all.subarray(at)]) stream.deliver(piece);
          stream.takeOutput();
          await publisher.send([`${topic}+`]);
          await turn();
          const heard = messagesAfterHandshake(concat(new Uint8Array(64), stream.takeOutput()));
          assertEquals(heard.length, subscribes ? 1 : 0);
          stream.end();
        }
      }
    });

    for (const type of [Subscriber, XSubscriber]) {
      it(`${id} is what a ${type.name} sends: ${meaning} (ZMTP30-SUB-03, ZMTP30-SUB-04)`, async () => {
        const [socket, next] = stage.connecting(type);
        const ask = async (first: number): Promise<void> => {
          if (type === XSubscriber) await socket.send([String.fromCharCode(first) + topic]);
          else if (first === 1) socket.subscribe(topic);
          else socket.unsubscribe(topic);
        };
        if (!subscribes) await ask(1);
        const stream = await next();
        stream.deliver(concat(GREETING, ready("PUB")));
        await turn();
        if (!subscribes) stream.takeOutput();
        await ask(subscribes ? 1 : 0);
        await turn();
        const said = stream.takeOutput();
        assertOctets(said.subarray(said.length - octets.length), octets);
        assert(!textOf(said).includes("SUBSCRIBE") && !textOf(said).includes("CANCEL"));
      });
    }
  }
});
