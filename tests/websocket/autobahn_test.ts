// What WebSockets must bear with: the cases of the Autobahn test suite that concern binary messages, by their numbers there.
// Each message comes back. Those that end the connection are in hostile_frames_test.ts.

import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { toHex, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { concat, pattern } from "../_util/octets.ts";
import {
  BINARY,
  bodied,
  CLOSE,
  closing,
  CONTINUATION,
  PING,
  PONG,
  type RawWebSocket,
} from "../_util/raw_web_socket.ts";
import { openEcho, SIDES } from "../_util/web_socket_echo.ts";

const WAIT_MS = 15_000;
const NOTHING = utf8("");

/** A message in fragments of so many octets. */
function fragments(peer: RawWebSocket, body: Uint8Array, size: number): Uint8Array[] {
  const payload = bodied(0, body);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += size) {
    frames.push(peer.frame(payload.subarray(at, at + size), {
      opcode: at === 0 ? BINARY : CONTINUATION,
      fin: at + size >= payload.length,
    }));
  }
  return frames;
}

for (const side of SIDES) {
  describe(`${side}, over ws://`, () => {
    const cleanup = new Cleanup();
    let peer: RawWebSocket;
    beforeEach(async () => void (peer = await openEcho(side, cleanup)));
    afterEach(() => cleanup.run());

    async function hears(body: Uint8Array | string): Promise<void> {
      const [part, ...others] = await peer.hear();
      assertEquals(others.length, 0);
      const expected = typeof body === "string" ? utf8(body) : body;
      assertEquals(part.length, expected.length);
      assert(part.every((octet, i) => octet === expected[i]), "the same octets");
    }

    async function pongs(...payloads: readonly Uint8Array[]): Promise<void> {
      for (const payload of payloads) {
        const frame = await peer.next();
        assertEquals([frame.opcode, frame.fin, frame.reserved], [PONG, true, 0]);
        assertEquals(toHex(frame.payload), toHex(payload));
      }
    }

    async function sendEach(octets: Uint8Array): Promise<void> {
      for (const octet of octets) await peer.connection.flush(Uint8Array.of(octet));
    }

    it("takes messages of all sizes around the forms of the length (1.2, ZWS2-FRAME-02)", async () => {
      for (
        const size of [0, 1, 124, 125, 126, 127, 128, 254, 255, 256, 65_533, 65_534, 65_535, 65_536]
      ) {
        const body = pattern(size);
        peer.say(body);
        await hears(body);
      }
    });

    it("takes a message of 65 536 octets in pieces of 997 (1.2.8)", async () => {
      const body = pattern(65_536);
      const octets = peer.frame(bodied(0, body));
      for (let at = 0; at < octets.length; at += 997) {
        await peer.connection.flush(octets.subarray(at, at + 997));
      }
      await hears(body);
    });

    it("takes messages of several parts, and sends one frame for each (ZWS2-FRAME-02)", async () => {
      peer.say("one", "", pattern(300), "last");
      const parts = await peer.hear();
      assertEquals(parts.map(toHex), [utf8("one"), NOTHING, pattern(300), utf8("last")].map(toHex));
    });

    it("answers pings with the same payload (2.1 to 2.4, ZWS2-HB-01)", async () => {
      for (
        const payload of [NOTHING, utf8("Hello, world!"), pattern(125), pattern(125).fill(0xfe)]
      ) {
        peer.send(payload, { opcode: PING });
        await pongs(payload);
      }
    });

    it("answers a ping that comes octet by octet (2.6)", async () => {
      await sendEach(peer.frame(pattern(125), { opcode: PING }));
      await pongs(pattern(125));
    });

    it("passes over pongs that nobody asked for (2.7 to 2.9)", async () => {
      peer.send("", { opcode: PONG });
      peer.send("unsolicited", { opcode: PONG });
      peer.send("ping", { opcode: PING });
      await pongs(utf8("ping"));
      peer.say("after");
      await hears("after");
    });

    it("answers ten pings in their order (2.10, 2.11)", async () => {
      const payloads = Array.from({ length: 10 }, (_, i) => utf8(`payload-${i}`));
      const pings = concat(...payloads.map((payload) => peer.frame(payload, { opcode: PING })));
      peer.connection.send(pings);
      await pongs(...payloads);
      await sendEach(pings);
      await pongs(...payloads);
    });

    it("takes a message in two fragments: at once, one by one, octet by octet (5.3 to 5.5, ZWS2-FRAME-03)", async () => {
      const frames = fragments(peer, utf8("fragment1fragment2"), 10);
      assertEquals(frames.length, 2);
      peer.connection.send(...frames);
      await hears("fragment1fragment2");
      for (const frame of frames) await peer.connection.flush(frame);
      await hears("fragment1fragment2");
      await sendEach(concat(...frames));
      await hears("fragment1fragment2");
    });

    it("answers a ping between fragments before the message is whole (5.6 to 5.8)", async () => {
      const [first, last] = fragments(peer, utf8("fragment1fragment2"), 10);
      const ping = peer.frame("ping payload", { opcode: PING });
      peer.connection.send(first, ping);
      await pongs(utf8("ping payload"));
      peer.connection.send(last);
      await hears("fragment1fragment2");
      peer.connection.send(first, ping, last);
      await pongs(utf8("ping payload"));
      await hears("fragment1fragment2");
      await sendEach(concat(first, ping, last));
      await pongs(utf8("ping payload"));
      await hears("fragment1fragment2");
    });

    it("takes five fragments with pings between them, and a pong (5.19, 5.20)", async () => {
      const frames = fragments(peer, utf8("12345".repeat(4)), 5);
      assertEquals(frames.length, 5);
      const ping = (n: number) => peer.frame(`pongme ${n}!`, { opcode: PING });
      const pong = peer.frame("", { opcode: PONG });
      peer.connection.send(frames[0], frames[1], ping(1), pong, frames[2], frames[3], ping(2));
      await pongs(utf8("pongme 1!"), utf8("pongme 2!"));
      peer.connection.send(frames[4]);
      await hears("12345".repeat(4));
    });

    it("takes fragments without octets, also the first, and those of one octet (6.1 for binary)", async () => {
      const empty = (opcode: number, fin = false) => peer.frame("", { opcode, fin });
      const part = (text: string) => peer.frame(text, { opcode: CONTINUATION, fin: false });
      peer.connection.send(
        empty(BINARY),
        empty(CONTINUATION),
        part("\0"),
        part("a"),
        empty(CONTINUATION),
        part("b"),
        empty(CONTINUATION, true),
      );
      await hears("ab");
      peer.connection.send(...fragments(peer, pattern(1_000), 1));
      await hears(pattern(1_000));
      // Nothing but its flags.
      peer.connection.send(empty(BINARY), peer.frame("\0", { opcode: CONTINUATION }));
      await hears("");
    });

    it("takes the parts of one message in fragments, as one", async () => {
      const more = peer.frame("\x01fi", { fin: false });
      const rest = peer.frame("rst", { opcode: CONTINUATION });
      peer.connection.send(more, rest, ...fragments(peer, utf8("second"), 3));
      assertEquals((await peer.hear()).map(toHex), [utf8("first"), utf8("second")].map(toHex));
    });

    it("gives a close frame back, whatever its code, and ends the connection (7.1.1, 7.3, 7.7, ZWS2-HB-02)", async () => {
      const longest = concat(closing(1000), pattern(123).fill(0x2a));
      for (
        const payload of [
          NOTHING,
          closing(1000),
          closing(1000, "Hello World!"),
          longest,
          ...[1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map((code) =>
            closing(code)
          ),
        ]
      ) {
        const one = await openEcho(side, cleanup);
        one.say("before");
        await one.hear();
        one.send(payload, { opcode: CLOSE });
        const frame = await one.next();
        assertEquals([frame.opcode, toHex(frame.payload)], [CLOSE, toHex(payload)]);
        await one.connection.untilClosed(WAIT_MS);
        assertEquals(one.connection.available, 0);
        one.connection.destroy();
      }
    });

    it("does nothing more once it got a close frame: two closes, a ping, a message (7.1.2 to 7.1.5)", async () => {
      const close = (one: RawWebSocket) => one.frame(closing(1000), { opcode: CLOSE });
      for (
        const behind of [
          close,
          (one: RawWebSocket) => one.frame("ping", { opcode: PING }),
          (one: RawWebSocket) => one.frame("\0message"),
          (one: RawWebSocket) => one.frame("rest", { opcode: CONTINUATION }),
          (one: RawWebSocket) => one.frame("nonsense", { opcode: 7, reserved: 7 }),
        ]
      ) {
        const one = await openEcho(side, cleanup);
        one.connection.send(one.frame("\0begun", { fin: false }), close(one), behind(one));
        assertEquals((await one.nextClose()).code, 1000);
        await one.connection.untilClosed(WAIT_MS);
        assertEquals(one.connection.available, 0);
        one.connection.destroy();
      }
    });

    it("gives all back that came before a close frame (7.1.6)", async () => {
      peer.say(pattern(256 * 1024));
      await hears(pattern(256 * 1024));
      peer.connection.send(
        peer.frame(closing(1000), { opcode: CLOSE }),
        peer.frame("ping", { opcode: PING }),
      );
      assertEquals((await peer.nextClose()).code, 1000);
    });

    it("takes large messages, in one frame (9.2)", async () => {
      for (const size of [256 * 1024, 1024 * 1024, 8 * 1024 * 1024]) {
        peer.say(pattern(size));
        await hears(pattern(size));
      }
    });

    it("takes a large message in fragments of any size (9.4)", async () => {
      const body = pattern(1024 * 1024);
      for (const size of [64, 1024, 16 * 1024, 64 * 1024, 1024 * 1024]) {
        peer.connection.send(...fragments(peer, body, size));
        await hears(body);
      }
    });

    it("takes a large message in pieces of any size (9.6)", async () => {
      const body = pattern(256 * 1024);
      const octets = peer.frame(bodied(0, body));
      for (const size of [64, 1024, 16 * 1024]) {
        for (let at = 0; at < octets.length; at += size) {
          peer.connection.send(octets.subarray(at, at + size));
        }
        await hears(body);
      }
    });

    it("takes a thousand messages at once, of any size (9.8)", async () => {
      for (const size of [0, 16, 64, 256, 1024]) {
        const frame = peer.frame(bodied(0, pattern(size)));
        peer.connection.send(...Array.from({ length: 1_000 }, () => frame));
        for (let i = 0; i < 1_000; i++) assertEquals((await peer.hear())[0].length, size);
      }
    });

    it("takes 65 536 octets in fragments of 1 300 (10.1.1)", async () => {
      const body = pattern(65_536);
      for (const frame of fragments(peer, body, 1_300)) await peer.connection.flush(frame);
      await hears(body);
    });
  });
}
