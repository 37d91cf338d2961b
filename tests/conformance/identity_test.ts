// What a socket says of itself in its handshake, and what it makes of that of others: type, routing
// id, resource.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Dealer, Pair } from "../../mod.ts";
import { propertiesOf } from "../../src/link/identity.ts";
import { defaultOptions } from "../../src/option_values.ts";
import { PlainServer } from "../../src/security/plain.ts";
import { Door } from "../../src/security/zap.ts";
import { Session } from "../../src/session/session.ts";
import { textOf, textsOf, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { feed } from "../_util/mechanism_sessions.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { plainVector } from "../_util/plain_vectors.ts";
import { oldGreeting } from "../_util/raw_subscriptions.ts";
import { command, greeting, message, ready } from "../_util/raw_zmtp.ts";
import { readyProperties } from "../_util/ready_properties.ts";
import { failure } from "../_util/rejection.ts";
import { ScriptedRuntime } from "../_util/scripted_runtime.ts";
import { LEGAL_PEERS, newSession, outputOf, OWN_TYPES } from "../_util/session_pair.ts";
import { vector } from "../_util/vectors.ts";
import { WIRE_CLASSES, WIRE_TYPES } from "../_util/wire_classes.ts";

const METADATA = "ERR_ZMTP_INVALID_METADATA";
const ENDPOINT = "tcp://127.0.0.1:5555";
const cleanup = new Cleanup();

/** A READY with a type and a resource. */
function readyWith(type: string, resource: Uint8Array): Uint8Array {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, resource.length);
  const property = concat(utf8("\x08Resource"), size, resource);
  return command("READY", concat(ready(type).subarray(8), property));
}

describe("the properties that are announced", () => {
  it("are the type, and the routing id where a ROUTER could use it (ZMTP31-META-05, ZMTP31-ID-01)", () => {
    for (const type of OWN_TYPES) {
      const options = { ...defaultOptions(), routingId: "me" };
      const properties = propertiesOf({ type, options }).map(([name, value]) => [
        name,
        textOf(value),
      ]);
      const named = ["REQ", "DEALER", "ROUTER"].includes(type);
      assertEquals(properties, [["Socket-Type", type], ...(named ? [["Identity", "me"]] : [])]);
    }
  });

  it("are never a resource (ZMTP31-RES-05)", () => {
    for (const type of OWN_TYPES) {
      const session = newSession(type, "me");
      session.receive(greeting());
      const body = outputOf(session).subarray(66);
      assertEquals("Resource" in readyProperties(body), false);
    }
    failure(() => new Dealer({ properties: { Resource: "a/b" } }), "EINVAL");
  });
});

describe("the routing id of a peer", () => {
  afterEach(() => cleanup.run());

  it("has 0 to 255 octets (ZMTP31-ID-03)", () => {
    for (const size of [0, 1, 254, 255, 256, 300]) {
      const session = newSession("ROUTER");
      const id = pattern(size).fill(0xff, 0, 1);
      const octets = concat(greeting(), ready("DEALER", id));
      if (size > 255) {
        failure(() => session.receive(octets), METADATA);
        continue;
      }
      session.receive(octets);
      assertOctets(session.peer!.routingId, id);
    }
  });

  it("does not begin with the octet of those that a ROUTER makes up (ZMTP31-ID-04)", () => {
    for (const id of ["\0", "\0\0\0\0\x01", "\0" + "x".repeat(254)]) {
      for (const type of ["ROUTER", "DEALER"] as const) {
        const octets = ready("DEALER", id);
        failure(() => newSession(type).receive(concat(greeting(), octets)), METADATA);
        // ZMTP 3.0 has no such rule.
        const session = newSession(type);
        session.receive(concat(oldGreeting(), octets));
        assertEquals(textOf(session.peer!.routingId), id);
      }
      failure(() => new Dealer({ routingId: id }), "EINVAL");
    }
  });

  for (const type of WIRE_TYPES) {
    if (type === "ROUTER") continue;
    it(`is nothing to a ${type}: two peers may have the same (ZMTP31-ID-02)`, async () => {
      const runtime = new ScriptedRuntime();
      const socket = cleanup.add(new WIRE_CLASSES[type]({ context: new Context({ runtime }) }));
      await socket.bind(ENDPOINT);
      const peers = LEGAL_PEERS[type].flatMap((peer) => {
        const streams = [runtime.listeners[0].accept(), runtime.listeners[0].accept()];
        for (const stream of streams) {
          stream.deliver(concat(greeting(), ready(peer, "same"), message("hi")));
        }
        return streams;
      });
      // A PAIR has one peer, whatever that is called.
      const expected = type === "PAIR" ? 1 : peers.length;
      assertEquals(socket.stats().peers.length, expected);
    });
  }

  it("of another type than those that may announce one is not looked at (ZMTP31-ID-02)", async () => {
    const runtime = new ScriptedRuntime();
    const pair = cleanup.add(new Pair({ context: new Context({ runtime }) }));
    await pair.bind(ENDPOINT);
    runtime.listeners[0].accept().deliver(concat(greeting(), ready("PAIR", "id"), message("a")));
    assertEquals(textsOf(await pair.receive()), ["a"]);
  });
});

describe("the resource of a peer", () => {
  const resources = ["", "a", "a/b/c", "/", "//", "$-_@.&+", "no such resource", "\0\xff"];

  for (const resource of resources) {
    it(`is accepted and not looked at: ${JSON.stringify(resource)} (ZMTP31-RES-03, ZMTP31-RES-05)`, () => {
      for (const type of OWN_TYPES) {
        const session = newSession(type);
        const peer = LEGAL_PEERS[type][0];
        session.receive(concat(vector("GV-G-01"), readyWith(peer, utf8(resource))));
        assertEquals([session.state, session.peer!.socketType], ["traffic", peer]);
      }
    });
  }

  it("is read when the peer is let in already: all of an endpoint share their credentials (ZMTP31-RES-04)", async () => {
    const asked: string[] = [];
    const door = new Door({ domain: "test", enforced: true }, "127.0.0.1", (request) => {
      asked.push(textsOf(request).slice(6).join(" "));
      const reply = ["", "1.0", textOf(request[2]), "200", "", "", ""].map(utf8);
      return { reply: Promise.resolve(reply), cancel() {} };
    });
    for (const resource of ["a", "b", "a/b"]) {
      const session = new Session(
        "ROUTER",
        new PlainServer([["Socket-Type", utf8("ROUTER")]], door),
      );
      await feed(session, concat(greeting("PLAIN"), plainVector("GV-P-01")));
      assertEquals(asked.splice(0), ["PLAIN admin secret"]);
      const initiate = command("INITIATE", readyWith("DEALER", utf8(resource)).subarray(8));
      await feed(session, initiate);
      assertEquals([session.state, asked], ["traffic", []]);
    }
  });
});
