// Connections that end in the middle of a CURVE handshake or of sealed frames: they end once, deliver whole messages only,
// and give back all memory of the core, wiped.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CurveKeys } from "../../src/core/curve_keys.ts";
import type { Core } from "../../src/core/instance.ts";
import { toHex } from "../_util/bytes.ts";
import { CurveLink } from "../_util/curve_link.ts";
import { KEYS } from "../_util/curve_vectors.ts";
import { boxKey, hsalsa20, INNER_MORE, messageFrame } from "../_util/curve_commands.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { assertMessages, concat, pattern, sameOctets } from "../_util/octets.ts";

const WAIT_MS = 5_000;

/** All keys of the vectors that a core may have had. */
const SECRETS = [
  KEYS.serverSecret,
  KEYS.serverTransientSecret,
  KEYS.cookie,
  KEYS.session,
  boxKey(KEYS.clientTransient, KEYS.serverSecret),
  boxKey(KEYS.client, KEYS.serverTransientSecret),
  hsalsa20(KEYS.session, "CurveZMQMESSAGEC"),
  hsalsa20(KEYS.session, "CurveZMQMESSAGES"),
];

/** In how many places of the core this key is; the core may have used its first octets when it was given back. */
function places(stand: CurveLink, key: Uint8Array): number {
  const octets = key.subarray(8);
  const { bytes } = stand.host.around.memory.outboxes;
  let count = 0;
  for (let at = bytes.indexOf(octets[0]); at >= 0; at = bytes.indexOf(octets[0], at + 1)) {
    if (sameOctets(bytes.subarray(at, at + octets.length), octets)) count++;
  }
  return count;
}

/** Counts the octets that are taken from a core and not given back. */
function watch(core: Core): { octets: number; most: number; end(): void } {
  const { exports } = core;
  const writable = core as { exports: typeof exports };
  const held = { octets: 0, most: 0, end: () => void (writable.exports = exports) };
  const alloc = (size: number): number => {
    held.octets += size;
    held.most = Math.max(held.most, held.octets);
    return exports.alloc(size);
  };
  const free = (address: number, size: number): void => {
    held.octets -= size;
    exports.free(address, size);
  };
  writable.exports = { ...exports, alloc, free };
  return held;
}

/** Lets promises of the platform's cryptography settle. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await pause(0);
}

describe("a CURVE connection that ends in the middle of its handshake", () => {
  it("ends once, wherever it is cut", async () => {
    const { peerHandshake } = new CurveLink();
    const stands: CurveLink[] = [];
    for (let at = 0; at < peerHandshake.length; at++) {
      const stand = new CurveLink();
      stand.link.start();
      stand.stream.deliver(peerHandshake.subarray(0, at));
      if (at % 8 === 1) await pause(0);
      stand.stream.end(at % 3 === 0 ? undefined : new Error("reset"));
      stands.push(stand);
    }
    await settle();
    for (const [at, { calls }] of stands.entries()) assertEquals(calls, ["ended"], `cut at ${at}`);
  });

  it("says nothing after its end, whichever side ends it", async () => {
    for (const end of ["stream", "link"]) {
      for (const size of [64, 64 + 202, 64 + 202 + 200, Infinity]) {
        const stand = new CurveLink();
        stand.link.start();
        stand.stream.deliver(stand.peerHandshake.subarray(0, size));
        if (end === "stream") stand.stream.end();
        else stand.link.close();
        const before = stand.stream.takeOutput().length;
        await settle();
        assertEquals([before, stand.stream.takeOutput().length], [64, 0]);
        assertEquals(stand.calls, ["ended"]);
        if (end === "link") stand.stream.end();
      }
    }
  });

  it("is not read on when it says more than a little before it is answered", async () => {
    const stand = new CurveLink();
    stand.link.start();
    stand.stream.deliver(stand.peerHandshake.subarray(0, 64 + 202));
    for (let i = 0; i < 20 && !stand.stream.paused; i++) stand.stream.deliver(pattern(1_000));
    assert(stand.stream.paused, "20 kB are held");
    await eventually(() => stand.calls.length > 0, WAIT_MS, "the end");
    assertEquals(stand.calls, ["ended"]);
  });

  it("gives back all memory of the core and leaves no key in it, over and over", async () => {
    const first = new CurveLink();
    const held = watch(first.host.around.memory.outboxes);
    const round = async (): Promise<void> => {
      for (const size of [64, 64 + 100, 64 + 202, 64 + 202 + 100, Infinity]) {
        for (const early of [true, false]) {
          const stand = new CurveLink();
          stand.link.start();
          stand.stream.deliver(stand.peerHandshake.subarray(0, size));
          if (!early && size === Infinity) {
            await eventually(() => stand.calls.length > 0, WAIT_MS, "a handshake");
          }
          stand.stream.end();
          await settle();
          stand.pipe.dispose();
        }
      }
    };
    for (let i = 0; i < 5; i++) await round();
    assert(held.most > 0);
    await eventually(() => held.octets === 0, WAIT_MS, "all memory is given back");
    held.end();
    for (const secret of SECRETS) assertEquals(places(first, secret), 0);
  });
});

describe("a CURVE connection", () => {
  it("CURVE-KEY-06: has its keys in the core, and after its end none of them", async () => {
    const stand = await new CurveLink().enter();
    stand.pipe.send([pattern(10)]);
    stand.pipe.send([pattern(100_000)]);
    stand.stream.deliver(concat(stand.peer.send("x"), stand.peer.send(pattern(10_000))));
    stand.host.clock.settle();
    assert(
      SECRETS.some((secret) => places(stand, secret) > 0),
      "the test looks in the wrong place",
    );
    stand.stream.end();
    for (const secret of SECRETS) assertEquals(places(stand, secret), 0);
  });

  it("CURVE-ERR-07, CURVE-KEY-06: that a fault ends says no ERROR, and leaves no key either", async () => {
    const stand = await new CurveLink().enter();
    const altered = stand.peer.send("x");
    altered[altered.length - 1] ^= 1;
    stand.stream.deliver(altered);
    assertEquals((stand.error as { code?: string }).code, "ERR_ZMTP_CRYPTOGRAPHIC");
    for (const secret of SECRETS) assertEquals(places(stand, secret), 0);
    assertEquals(stand.stream.takeOutput(), new Uint8Array(0), "a MESSAGE is never answered");
    stand.stream.end();
  });

  it("that a fault ends while it writes seals nothing more, least of all with others' keys", async () => {
    for (const pings of [1, 100]) {
      const room = new CurveLink().handshakeSize + 100;
      const stand = await new CurveLink({ stream: { room } }).enter();
      const core = stand.host.around.memory.outboxes;
      stand.pipe.send([pattern(5_000)]);
      stand.host.clock.settle();
      assert(stand.stream.busy);
      for (let i = 0; i < pings; i++) {
        stand.stream.deliver(stand.peer.command("PING", "\0\0x"));
      }
      const altered = stand.peer.send("x");
      altered[altered.length - 1] ^= 1;
      stand.stream.deliver(altered);
      assertEquals((stand.error as { code?: string }).code, "ERR_ZMTP_CRYPTOGRAPHIC");
      const { writes } = stand.stream;
      const before = writes.length;
      // The next connections have what this one gave back.
      const nonces = { next: 100n, last: 0n };
      const others = [1, 2, 3].map((i) => new CurveKeys(core, pattern(32, i), true, nonces));
      const known = (): string =>
        others.map(({ sending }) => toHex(core.bytes.slice(sending, sending + 48))).join();
      const theirs = known();
      stand.stream.drain();
      stand.host.clock.settle();
      assertEquals([known(), writes.length], [theirs, before]);
      for (const keys of others) keys.wipe();
      stand.stream.end();
    }
  });

  it("that is cut at any octet has delivered the whole messages before that, and nothing more", async () => {
    const { peer } = new CurveLink();
    const messages = [[pattern(3), pattern(300), pattern(2)], [pattern(0)], [pattern(20)]];
    const octets = concat(...messages.map((frames) => peer.send(...frames)));
    const ends = [38 + 342 + 37, 38 + 342 + 37 + 35, octets.length];
    for (let at = 0; at <= octets.length; at++) {
      // Within the long frame one place is as good as another.
      if (at > 100 && at < 370 && at % 30 > 0) continue;
      const stand = await new CurveLink().enter();
      stand.stream.deliver(octets.subarray(0, at), 1 + at % 100);
      stand.stream.end(new Error("reset"));
      const whole = ends.filter((end) => end <= at).length;
      assertMessages(stand.receiveAll(), messages.slice(0, whole));
    }
  });

  it("that ends within a message of many frames delivers none of them", async () => {
    for (const size of [10, 3_000, 100_000]) {
      const stand = await new CurveLink().enter();
      const frames = Array.from({ length: 5 }, () => {
        return messageFrame(stand.peer.message(pattern(size), INNER_MORE));
      });
      stand.stream.deliver(concat(stand.peer.send("whole"), ...frames));
      stand.stream.end();
      assertMessages(stand.receiveAll(), [[new TextEncoder().encode("whole")]]);
    }
  });

  it("with a ZMTP 3.0 peer is no other", async () => {
    const stand = await new CurveLink({ minor: 0, options: { heartbeatInterval: 10 } }).enter();
    stand.pipe.send([pattern(5)]);
    stand.host.clock.advance(1_000);
    assertMessages(stand.listen(), [[pattern(5)]]);
    assertEquals(stand.commands, []);
    stand.stream.end();
  });
});
