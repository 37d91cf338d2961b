// The writer of WebSocket frames: a plain reading of what it writes gives what it was given, whatever the pieces, and each
// frame of a client has a mask key of its own.

import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Core } from "../../src/core/instance.ts";
import { Outbox } from "../../src/core/outbox.ts";
import { WebSocketWriter } from "../../src/core/websocket_writer.ts";
import { ZmqError } from "../../src/errors.ts";
import { fromHex, toHex, utf8 } from "../_util/bytes.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { COMMAND, encodeFrame, LONG, MORE } from "./models/frame_model.ts";
import { goodStream } from "./models/streams.ts";
import { PING, PONG, readWeb, type Rules } from "./models/websocket_model.ts";

const core = new Core();
const SIDES = [true, false];

function rulesOf(masked: boolean): Rules {
  return { masked, limit: -1, commands: true };
}

/** Octets that count up in words, so that every key differs. */
function counting(): (into: Uint8Array) => void {
  let count = 0;
  return (into) => {
    for (let i = 0; i < into.length; i += 4) {
      into.set([++count, count >> 8, count >> 16, 0xa5], i);
    }
  };
}

interface Written {
  readonly wire: Uint8Array;
  readonly pieces: number;
}

/** Writes octets in views that end where `cuts` says, from the core's memory or from elsewhere. */
function write(
  zmtp: Uint8Array,
  masked: boolean,
  inCore: boolean,
  cuts: readonly number[] = [],
  writer: WebSocketWriter = new WebSocketWriter(core, masked, counting()),
): Written {
  const block = core.block(zmtp.length, "test");
  core.bytes.set(zmtp, block);
  const out: Uint8Array[] = [];
  let start = 0;
  for (const end of [...cuts, zmtp.length]) {
    for (let at = start; at < end; at += writer.plain) {
      writer.take(
        inCore ? core.bytes.subarray(block + at, block + end) : zmtp.subarray(at, end),
      );
      assertGreater(writer.plain, 0);
      assertEquals(writer.wire(0).length, writer.size);
      out.push(writer.wire(0).slice());
    }
    start = end;
  }
  writer.done();
  core.exports.free(block, zmtp.length);
  return { wire: concat(...out), pieces: out.length };
}

/** The frames as they have the shortest headers. */
function shortest(zmtp: Uint8Array): Uint8Array {
  return readWeb(write(zmtp, true, false).wire, rulesOf(true)).octets;
}

function check(zmtp: Uint8Array, masked: boolean, inCore: boolean, cuts?: number[]): Written {
  const written = write(zmtp, masked, inCore, cuts);
  const reading = readWeb(written.wire, rulesOf(masked));
  assertEquals([reading.fault, reading.at], [undefined, written.wire.length]);
  assertOctets(reading.octets, shortest(zmtp), "ZMTP");
  return written;
}

describe("WebSocketWriter", () => {
  it("writes what a plain reading gives back", () => {
    fc.assert(
      fc.property(goodStream, fc.boolean(), fc.boolean(), (zmtp, masked, inCore) => {
        if (zmtp.length > 0) check(zmtp, masked, inCore);
      }),
      { numRuns: 100 },
    );
  });

  const sizes = [...Array(40).keys(), 123, 124, 125, 126, 254, 255, 256, 65_533, 65_534, 65_535];
  for (const masked of SIDES) {
    const side = masked ? "client" : "server";

    it(`writes bodies of every size on a ${side}, in one frame each (ZWS2-FRAME-02)`, () => {
      for (const size of [...sizes, 150_000, 1_000_000]) {
        for (const flags of [0, MORE, COMMAND]) {
          if (flags === COMMAND && size > 65_536) continue;
          const zmtp = encodeFrame(flags, pattern(size));
          for (const inCore of [true, false]) {
            const { wire } = check(zmtp, masked, inCore);
            const header = size < 125 ? 3 : size < 65_535 ? 5 : 11;
            assertEquals([wire[0], wire.length], [0x82, header + (masked ? 4 : 0) + size]);
          }
        }
      }
    });

    it(`goes on with a body in other views on a ${side}`, () => {
      for (const size of [256, 70_000, 400_000]) {
        const zmtp = concat(
          encodeFrame(0, pattern(10)),
          encodeFrame(MORE, pattern(size)),
          encodeFrame(0, pattern(3)),
        );
        for (const cut of [9, 10, 109, size >> 1]) {
          for (const inCore of [true, false]) {
            check(zmtp, masked, inCore, [12 + cut, 12 + 9 + size]);
          }
        }
      }
    });

    it(`takes about 256 KiB at once on a ${side}`, () => {
      const zmtp = concat(...Array<Uint8Array>(5_000).fill(encodeFrame(0, pattern(200))));
      const { pieces } = check(zmtp, masked, true);
      assertLess(pieces, 5);
      assertLess(check(zmtp, masked, false).pieces, 10);
      // The shortest frames become more than three times as long.
      for (const inCore of [true, false]) {
        const { wire, pieces } = write(new Uint8Array(600_000), masked, inCore);
        assertEquals(wire.length, 300_000 * (masked ? 7 : 3));
        assertLess(pieces, 10);
      }
    });

    it(`knows when it is inside of a frame on a ${side}`, () => {
      const writer = new WebSocketWriter(core, masked, counting());
      const zmtp = encodeFrame(0, pattern(300));
      assertEquals(writer.inside, false);
      writer.take(zmtp.subarray(0, 100));
      assertEquals(writer.inside, true);
      writer.take(zmtp.subarray(100, 308));
      assertEquals(writer.inside, true);
      writer.take(zmtp.subarray(308));
      assertEquals(writer.inside, false);
    });
  }

  it("writes a long body without a mask from where it is", () => {
    const body = pattern(1_000_000);
    const writer = new WebSocketWriter(core, false, counting());
    writer.take(encodeFrame(0, body).subarray(0, 9));
    assertEquals(toHex(writer.wire(0)), "827f00000000000f424100");
    writer.take(body);
    assertEquals([writer.plain, writer.size], [body.length, body.length]);
    assert(writer.wire(0) === body);
    assert(writer.wire(10).buffer === body.buffer);
    assertEquals([writer.left(0), writer.left(10), writer.inside], [0, 10, false]);
  });

  describe("writes the golden vectors", () => {
    const vectors: readonly [string, string, boolean, string][] = [
      ["GV-WS-02", "00026869", false, "8203006869"],
      ["GV-WS-03", "00026869", true, "828337fa213d379248"],
      ["GV-WS-04", "010141", false, "82020141"],
      ["GV-WS-05", "0000", false, "820100"],
      [
        "GV-WS-06",
        "041c0552454144590b536f636b65742d5479706500000006524f55544552",
        false,
        "821d020552454144590b536f636b65742d5479706500000006524f55544552",
      ],
      [
        "GV-WS-07",
        "04290552454144590b536f636b65742d54797065000000064445414c4552084964656e7469747900000000",
        true,
        "82aa37fa213d35ff737876be783664954256528e0c694e8a443d37fa277972bb6d7865f26859529455544383213d37fa",
      ],
      ["GV-WS-08", "000401616263", false, "82050001616263"],
      ["GV-WS-09", `007d${"61".repeat(125)}`, false, `827e007e00${"61".repeat(125)}`],
    ];
    const random = (into: Uint8Array) => {
      for (let i = 0; i < into.length; i += 4) into.set(fromHex("37fa213d"), i);
    };
    for (const [id, zmtp, masked, wire] of vectors) {
      it(id, () => {
        for (const inCore of [true, false]) {
          const fresh = new Core();
          const writer = new WebSocketWriter(fresh, masked, random);
          const octets = fromHex(zmtp);
          const at = fresh.block(octets.length, "test");
          fresh.bytes.set(octets, at);
          writer.take(inCore ? fresh.bytes.subarray(at, at + octets.length) : octets);
          assertEquals(toHex(writer.wire(0)), wire);
        }
      });
    }

    it("GV-WS-10", () => {
      const none = new Uint8Array(0);
      const written = SIDES.map((masked) =>
        toHex(new WebSocketWriter(core, masked, random).control(PING, none))
      );
      assertEquals(written, ["898037fa213d", "8900"]);
    });
  });

  it("masks each frame of a client with a key of its own (ZWS2-FRAME-04)", () => {
    const fresh = new Core();
    const random = counting();
    const keys = new Set<string>();
    for (let writers = 0; writers < 3; writers++) {
      // The table of keys is that of the core.
      const writer = new WebSocketWriter(fresh, true, random);
      for (let batch = 0; batch < 5; batch++) {
        writer.take(new Uint8Array(2 * 700));
        const wire = writer.wire(0);
        assertEquals(wire.length, 7 * 700);
        for (let at = 0; at < wire.length; at += 7) keys.add(toHex(wire.subarray(at + 2, at + 6)));
      }
      keys.add(toHex(writer.control(PONG, utf8("hi")).subarray(2, 6)));
    }
    assertEquals(keys.size, 3 * (5 * 700 + 1));
  });

  it("uses no key before all were filled", () => {
    const fresh = new Core();
    const writer = new WebSocketWriter(fresh, true, () => {
      throw new Error("no entropy");
    });
    for (let i = 0; i < 2; i++) {
      assertThrows(() => writer.take(new Uint8Array(2)), Error, "no entropy");
      assertEquals(writer.size, 0);
    }
  });

  it("tells how many octets were in frames that left whole", () => {
    const bodies = [0, 1, 3, 123, 124, 125, 126, 254, 255, 256, 300, 66_000, 2];
    const frames = bodies.map((size) => encodeFrame(0, pattern(size)));
    const zmtp = concat(...frames);
    let end = 0;
    const ends = frames.map((frame) => end += frame.length);
    const writer = new WebSocketWriter(core, true, counting());
    writer.take(zmtp);
    assertEquals(writer.plain, zmtp.length);
    // Each count takes a reading of all that is before it.
    const { size } = writer;
    const counts = [...Array(1_000).keys(), 1_500, 2_000, size - 10, size - 9, size - 8, size];
    for (const count of counts) {
      const left = writer.left(count);
      const whole = readWeb(writer.wire(0).subarray(0, count), rulesOf(true)).at;
      const reading = readWeb(writer.wire(0).subarray(0, whole), rulesOf(true));
      assertEquals(left, reading.octets.length, `${count} octets`);
      assert(left === 0 || ends.includes(left));
    }
  });

  it("and of a body that goes on, as many as left of it", () => {
    for (const masked of SIDES) {
      const writer = new WebSocketWriter(core, masked, counting());
      const zmtp = concat(encodeFrame(0, pattern(500)), encodeFrame(0, pattern(20)));
      writer.take(zmtp.subarray(0, 100));
      assertEquals(writer.left(writer.size - 1), 0);
      assertEquals(writer.left(writer.size), 100);
      writer.take(zmtp.subarray(100));
      const lefts = [0, 1, 408, 409, 410, writer.size - 1, writer.size].map((count) =>
        writer.left(count)
      );
      assertEquals(lefts, [0, 1, 408, 409, 409, 409, 431]);
    }
  });

  it("stops behind a frame whose header is longer than it must be", () => {
    const odd = encodeFrame(LONG, pattern(5));
    const zmtp = concat(encodeFrame(0, pattern(4)), odd, encodeFrame(0, pattern(6)), odd);
    for (const masked of SIDES) {
      for (const inCore of [true, false]) assertEquals(check(zmtp, masked, inCore).pieces, 2);
    }
    const writer = new WebSocketWriter(core, true, counting());
    writer.take(zmtp);
    assertEquals([writer.plain, writer.left(writer.size - 1)], [6 + 14, 6]);
  });

  it("keeps a piece for who has not written it, when others need the room", () => {
    const first = new WebSocketWriter(core, true, counting());
    const second = new WebSocketWriter(core, false, counting());
    const zmtp = concat(encodeFrame(0, pattern(300)), encodeFrame(0, pattern(20)));
    first.take(zmtp);
    const wire = first.wire(0).slice();
    second.take(encodeFrame(0, pattern(5_000, 3)));
    assertOctets(first.wire(0), wire);
    assertOctets(first.wire(100), wire.subarray(100));
    assertEquals(first.left(wire.length - 1), 309);
    assertOctets(
      readWeb(second.wire(0), rulesOf(false)).octets,
      encodeFrame(0, pattern(5_000, 3)),
    );
    first.take(zmtp);
    assertEquals(second.wire(0).length, 5_005);
    second.free();
    first.free();
  });

  it("never makes the core's memory grow while it writes", () => {
    const fresh = new Core();
    const writer = new WebSocketWriter(fresh, true, counting());
    const outbox = new Outbox(fresh);
    for (let i = 0; i < 3_000; i++) outbox.append(pattern(100));
    outbox.take(Infinity);
    const { bytes } = fresh;
    fresh.exports.memoryLimit(1);
    for (let at = 0; at < outbox.next().length; at += writer.plain) {
      writer.take(outbox.next().subarray(at));
    }
    assert(fresh.bytes === bytes && bytes.length > 0);
  });

  it("says when there is no memory for the room", () => {
    const fresh = new Core();
    fresh.exports.memoryLimit(1);
    const error = assertThrows(() => new WebSocketWriter(fresh, true, counting()), ZmqError);
    assertEquals(error.code, "ENOBUFS");
  });

  it("writes control frames (ZWS2-HB-01)", () => {
    for (const masked of SIDES) {
      const writer = new WebSocketWriter(core, masked, counting());
      for (const size of [0, 1, 5, 125]) {
        const frame = writer.control(PONG, pattern(size));
        const { controls, fault } = readWeb(frame, rulesOf(masked));
        assertEquals(fault, undefined);
        assertEquals(controls, [{ after: 0, opcode: PONG, payload: pattern(size) }]);
        assertEquals(frame.byteLength, frame.buffer.byteLength);
      }
    }
  });
});
