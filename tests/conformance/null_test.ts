// The NULL handshake: whole exchanges octet for octet, who says what when, and what ends it.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Dealer, Router } from "../../mod.ts";
import { assertFrames, textOf, toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { LinkStand, messagesAfterHandshake } from "../_util/link_stand.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { assertMessages, assertOctets, concat } from "../_util/octets.ts";
import { command, greeting, message, ready } from "../_util/raw_zmtp.ts";
import { ScriptedRuntime } from "../_util/scripted_runtime.ts";
import { newSession, outputOf } from "../_util/session_pair.ts";
import { expand, vector } from "../_util/vectors.ts";

const ENDPOINT = "tcp://127.0.0.1:5555";
const GREETING = vector("GV-G-01");
const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const HI = expand("00 02 6869");
const YO = expand("00 02 796f");
const cleanup = new Cleanup();

describe("a whole NULL handshake with a peer that says each step at once", () => {
  afterEach(() => cleanup.run());

  for (const id of ["GV-C-02", "GV-C-03"]) {
    it(`GV-HS-01: a DEALER that connects, and ${id} (ZMTP31-NULL-01, ZMTP31-NULL-05)`, async () => {
      for (const size of [Infinity, 1]) {
        const runtime = new ScriptedRuntime();
        const dealer = cleanup.add(new Dealer({ context: new Context({ runtime }) }));
        dealer.connect(ENDPOINT);
        await microtasks();
        const router = await runtime.attempts[0].succeed();
        router.deliver(GREETING, size);
        assertOctets(router.takeOutput(), concat(vector("GV-G-06"), vector("GV-C-01")));
        router.deliver(vector(id), size);
        await dealer.send("hi");
        assertOctets(router.takeOutput(), HI);
        router.deliver(YO, size);
        assertFrames(await dealer.receive(), ["yo"]);
      }
    });
  }

  it("GV-HS-01: a ROUTER that is bound (ZMTP31-NULL-02, ZMTP31-NULL-03)", async () => {
    for (const size of [Infinity, 1]) {
      const runtime = new ScriptedRuntime();
      const router = cleanup.add(new Router({ context: new Context({ runtime }) }));
      await router.bind(ENDPOINT);
      const dealer = runtime.listeners[0].accept();
      dealer.deliver(GREETING, size);
      assertOctets(dealer.takeOutput(), concat(vector("GV-G-06"), vector("GV-C-03")));
      dealer.deliver(vector("GV-C-01"), size);
      dealer.deliver(HI, size);
      const [id, ...frames] = await router.receive();
      assertEquals([id.length, id[0], frames.map(textOf)], [5, 0, ["hi"]]);
      await router.send([id, "yo"]);
      assertOctets(dealer.takeOutput(), YO);
    }
  });

  it("GV-HS-01, GV-HS-02: all of it in one read, and a message behind it", async () => {
    const runtime = new ScriptedRuntime();
    const router = cleanup.add(new Router({ context: new Context({ runtime }) }));
    await router.bind(ENDPOINT);
    for (const id of ["GV-G-01", "GV-G-06", "GV-G-07", "GV-G-02"]) {
      const dealer = runtime.listeners[0].accept();
      dealer.deliver(concat(vector(id), vector("GV-C-01"), HI));
      assertOctets(dealer.takeOutput(), concat(vector("GV-G-06"), vector("GV-C-03")));
      assertFrames((await router.receive()).slice(1), ["hi"]);
    }
  });
});

describe("READY", () => {
  it("is sent without waiting for the peer's, on either side of the connection (ZMTP31-NULL-06, ZMTP31-NULL-01)", () => {
    for (const type of ["DEALER", "ROUTER", "PUB", "SUB"] as const) {
      const session = newSession(type);
      session.receive(GREETING);
      assertEquals(toHex(outputOf(session)).slice(132, 144), toHex(utf8("\x05READY")));
      assertEquals(session.state, "handshake");
    }
  });

  it("is sent once, however the peer's comes", () => {
    const handshake = concat(GREETING, ready("ROUTER"), HI);
    for (let at = 1; at < handshake.length; at++) {
      const stand = new LinkStand();
      stand.link.start();
      stand.stream.deliver(handshake.subarray(0, at));
      stand.stream.deliver(handshake.subarray(at));
      assertOctets(stand.stream.takeOutput(), concat(greeting(), ready("DEALER")));
    }
  });

  it("of the peer is read and checked before anything of it counts (ZMTP31-NULL-02, ZMTP31-NULL-04)", () => {
    const broken = [
      ["GV-C-06", vector("GV-C-06")],
      [
        "a property that is cut off",
        command("READY", expand("0b 536f636b65742d54797065 00000009 41")),
      ],
      ["no property at all, but octets", command("READY", expand("00"))],
    ] as const;
    for (const [what, octets] of broken) {
      for (const size of [Infinity, 1]) {
        const stand = new LinkStand();
        stand.pipe.send("secret");
        stand.link.start();
        stand.stream.deliver(concat(GREETING, octets, HI), size);
        assertEquals(stand.calls, ["ended"], what);
        assertEquals((stand.error as { code: string }).code, "ERR_ZMTP_INVALID_METADATA", what);
        assertEquals(stand.receiveAll(), []);
        assertEquals(messagesAfterHandshake(stand.stream.takeOutput()), []);
      }
    }
  });

  it("that is there from both sides lets messages flow both ways (ZMTP31-NULL-03, ZMTP31-NULL-05, ZMTP31-MECH-05)", () => {
    const stand = new LinkStand();
    stand.pipe.send("waits");
    stand.link.start();
    stand.stream.deliver(GREETING);
    stand.host.clock.settle();
    assertOctets(stand.stream.takeOutput(), concat(greeting(), ready("DEALER")));
    stand.stream.deliver(concat(ready("ROUTER"), message("comes with it")));
    assertOctets(stand.stream.takeOutput(), message("waits"));
    assertMessages(stand.receiveAll(), [[utf8("comes with it")]]);
  });

  it("ends the handshake: a second one is traffic, where it is nothing (ZMTP31-NULL-10, ZMTP31-CMD-05)", () => {
    for (const size of [Infinity, 1]) {
      const stand = new LinkStand();
      stand.link.start();
      const second = [ready("PULL"), ready("DEALER", "another"), ready("ROUTER")];
      stand.stream.deliver(concat(GREETING, ready("ROUTER", "one"), ...second, HI), size);
      assertEquals([stand.calls, stand.link.ready], [["ready ROUTER"], true]);
      assertEquals([stand.pipe.peer!.socketType, textOf(stand.pipe.peer!.routingId)], [
        "ROUTER",
        "one",
      ]);
      assertMessages(stand.receiveAll(), [[utf8("hi")]]);
    }
  });
});

describe("in place of READY", () => {
  const others: Readonly<Record<string, Uint8Array>> = {
    "a message": HI,
    "the first frame of one": expand("01 02 6869"),
    "a long message": expand("02 0000000000000001 61"),
    "a subscription as a message": expand("00 01 01"),
    "HELLO": command("HELLO"),
    "WELCOME": command("WELCOME"),
    "INITIATE": command("INITIATE"),
    "MESSAGE": command("MESSAGE"),
    "SUBSCRIBE": vector("GV-C-10"),
    "CANCEL": vector("GV-C-12"),
    "PING": vector("GV-C-14"),
    "PONG": vector("GV-C-15"),
    "JOIN": vector("GV-C-19"),
    "a name that begins as READY": command("READYX"),
    "a name of another case": command("Ready"),
  };
  for (const [what, octets] of Object.entries(others)) {
    it(`${what} ends the link (ZMTP31-NULL-09, CONN-05)`, () => {
      for (const size of [Infinity, 1]) {
        const stand = new LinkStand();
        stand.pipe.send("secret");
        stand.link.start();
        stand.stream.deliver(concat(GREETING, octets, ready("ROUTER"), HI), size);
        assertEquals([stand.calls, stand.receiveAll()], [["ended"], []]);
        assertEquals((stand.error as { code: string }).code, UNEXPECTED);
        assertEquals(messagesAfterHandshake(stand.stream.takeOutput()), []);
      }
    });
  }

  it("ERROR ends it, whatever its reason says (ZMTP31-NULL-07, ZMTP31-ERR-01)", () => {
    for (const reason of ["", "no", "Invalid socket type", "x".repeat(255), "\n\x1b[31m\xff"]) {
      const octets = command(
        "ERROR",
        concat(Uint8Array.of(reason.length), utf8(reason).slice(0, reason.length)),
      );
      const stand = new LinkStand();
      stand.link.start();
      stand.stream.deliver(concat(GREETING, octets, ready("ROUTER"), HI));
      assertEquals([stand.calls, stand.receiveAll()], [["ended"], []]);
      assertEquals((stand.error as { code: string }).code, "ERR_ZMTP_UNSPECIFIED");
      assertEquals(/[^\x20-\x7e]/.test((stand.error as Error).message), /[\xff]/.test(reason));
    }
  });
});
