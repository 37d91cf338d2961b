// The reader of WebSocket frames beside a plain reading of them: the same ZMTP frames, control frames and faults however the
// octets are cut.

import { assert, assertEquals, assertLess, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CoreMemory } from "../../src/core/memory.ts";
import { WebSocketReader, type WebSocketRules } from "../../src/core/websocket_reader.ts";
import { fromHex, toHex, utf8 } from "../_util/bytes.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { encodeFrame } from "./models/frame_model.ts";
import { reads } from "./models/streams.ts";
import {
  CONTINUATION,
  encodeWeb,
  encodeWebMessage,
  FIN,
  PING,
  PONG,
  type Rules,
} from "./models/websocket_model.ts";
import { compareReading, WebStand } from "./models/websocket_stand.ts";
import { brokenWebStream, webStream } from "./models/websocket_streams.ts";

const CLIENT: Rules = { masked: false, limit: -1, commands: true };
const SERVER: Rules = { masked: true, limit: -1, commands: true };
const BOTH = [CLIENT, SERVER];
const KEY = fromHex("37fa213d");
const WAYS = [[Infinity], [1], [2, 3], [13], [4_096], [70_000, 1]];
/** Long streams take too long octet by octet. */
const LONG_WAYS = [[Infinity], [333, 1, 1, 1, 1, 1], [4_096], [70_000, 1]];
const LONG = 20_000;

/** In several ways, also with the beginning of another frame behind it. */
function compareEveryWay(octets: Uint8Array, rules: Rules): void {
  const ways = octets.length < LONG ? WAYS : LONG_WAYS;
  compareReading(octets, rules, ways);
  const next = encodeWebMessage(0, pattern(700), keyOf(rules)).subarray(0, 600);
  compareReading(concat(octets, next), rules, ways, 300_000);
}

function keyOf({ masked }: Rules): Uint8Array | undefined {
  return masked ? KEY : undefined;
}

function readAll(octets: Uint8Array, rules: WebSocketRules): WebStand {
  const stand = new WebStand(rules);
  stand.read(octets);
  return stand;
}

describe("WebSocketReader", () => {
  it("gives what a plain reading gives, however the stream is cut", () => {
    fc.assert(
      fc.property(
        webStream,
        reads,
        fc.constantFrom(1, 9, 1_000, 300_000),
        ({ octets, rules }, sizes, takes) => compareReading(octets, rules, [sizes], takes),
      ),
      { numRuns: 100 },
    );
  });

  it("gives what comes before a fault, and the same fault", () => {
    fc.assert(
      fc.property(
        brokenWebStream,
        reads,
        ({ octets, rules }, sizes) => compareReading(octets, rules, [sizes]),
      ),
      { numRuns: 120 },
    );
  });

  describe("at the borders of the length field and of its buffers", () => {
    const short = [...Array(20).keys(), 123, 124, 125, 126, 127, 254, 255, 256, 257, 259];
    const long = [4_010, 4_016, 4_086, 4_096, 65_533, 65_534, 65_535, 65_536, 140_000];
    for (const rules of BOTH) {
      it(`reads bodies of every size, ${rules.masked ? "masked" : "not masked"} (ZWS2-FRAME-02)`, () => {
        for (const size of [...short, ...long]) {
          const frames = [0, 1, 0].map((flags) =>
            encodeWebMessage(flags, pattern(size, flags), keyOf(rules))
          );
          compareEveryWay(concat(...frames), rules);
        }
      });
    }

    it("has room for many medium frames, whose ZMTP headers are longer", () => {
      const frame = encodeWebMessage(0, pattern(256));
      const octets = concat(...Array<Uint8Array>(3_000).fill(frame));
      for (const cut of [-9, -4, -1, 0, 1, 7]) {
        compareReading(octets, CLIENT, [[Infinity], [4_096 + cut], [65_536 + cut]]);
      }
    });
  });

  describe("reads the golden vectors", () => {
    const vectors: readonly [string, string, Rules, string][] = [
      ["GV-WS-02", "8203006869", CLIENT, "00026869"],
      ["GV-WS-03", "828337fa213d379248", SERVER, "00026869"],
      ["GV-WS-04", "82020141", CLIENT, "010141"],
      ["GV-WS-05", "820100", CLIENT, "0000"],
      [
        "GV-WS-06",
        "821d0205524541445 90b536f636b65742d5479706500000006524f55544552",
        CLIENT,
        "041c055245414459 0b536f636b65742d5479706500000006524f55544552",
      ],
      [
        "GV-WS-07",
        "82aa37fa213d35ff737876be783664954256528e0c694e8a443d37fa277972bb6d7865f26859529455544383213d37fa",
        SERVER,
        "0429055245414459 0b536f636b65742d54797065000000064445414c4552 084964656e7469747900000000",
      ],
      ["GV-WS-08", "82050001616263", CLIENT, "000401616263"],
      ["GV-WS-09", `827e007e00${"61".repeat(125)}`, CLIENT, `007d${"61".repeat(125)}`],
    ];
    for (const [id, wire, rules, zmtp] of vectors) {
      it(id, () => {
        for (const sizes of WAYS) {
          const stand = new WebStand(rules);
          stand.read(fromHex(wire), sizes);
          assertEquals(stand.fault, undefined);
          assertEquals(toHex(stand.octets), zmtp.replaceAll(" ", ""));
        }
      });
    }

    it("GV-WS-10", () => {
      for (const [wire, rules] of [["8900", CLIENT], ["898037fa213d", SERVER]] as const) {
        for (const sizes of WAYS) {
          const stand = new WebStand(rules);
          stand.read(fromHex(wire), sizes);
          assertEquals(stand.controls, [{ after: 0, opcode: PING, payload: new Uint8Array(0) }]);
        }
      }
    });
  });

  describe("joins fragments (ZWS2-FRAME-03)", () => {
    for (const rules of BOTH) {
      const key = keyOf(rules);
      const ping = encodeWeb(FIN | PING, utf8("still there?"), { key });
      it(`of any sizes, ${rules.masked ? "masked" : "not masked"}`, () => {
        const splits = [[0], [1], [0, 0, 0], [1, 0, 254], [255], [256], [100, 200, 0], [70_000]];
        for (const sizes of splits) {
          for (const size of [0, 1, 254, 255, 256, 400, 80_000]) {
            compareEveryWay(encodeWebMessage(1, pattern(size), key, sizes), rules);
          }
        }
      });

      it(`with control frames between them, ${rules.masked ? "masked" : "not masked"}`, () => {
        const body = pattern(600);
        const payload = concat(Uint8Array.of(2), body);
        const octets = concat(
          encodeWeb(2, payload.subarray(0, 200), { key }),
          ping,
          encodeWeb(CONTINUATION, payload.subarray(200, 200), { key }),
          ping,
          ping,
          encodeWeb(CONTINUATION, payload.subarray(200, 300), { key }),
          encodeWeb(FIN | CONTINUATION, payload.subarray(300), { key }),
          encodeWebMessage(0, body, key),
        );
        compareEveryWay(octets, rules);
        assertEquals(readAll(octets, rules).controls.length, 3);
      });
    }

    it("of which 2 GiB are announced and little comes", () => {
      const stand = new WebStand(CLIENT);
      // 2 GiB are announced.
      const first = encodeWeb(2, new Uint8Array(10), { length: 2n ** 31n - 1n, field: 8 });
      stand.read(concat(first, pattern(100_000)));
      assertEquals([stand.fault, stand.octets.length], [undefined, 0]);
      stand.reader.free();
    });

    it("up to the limit, whatever its parts", () => {
      const rules = { masked: false, limit: 100_000, commands: false };
      const body = pattern(100_001);
      for (const sizes of [[], [1], [50_000, 0, 1], [100_001]]) {
        compareReading(encodeWebMessage(0, body.subarray(1), undefined, sizes), rules, WAYS);
        const octets = encodeWebMessage(0, body, undefined, sizes);
        compareReading(octets, rules, WAYS);
        const { fault } = readAll(octets, rules);
        assertEquals([fault?.closeCode, fault?.error.code], [1009, "EMSGSIZE"]);
      }
    });
  });

  it("gives on a body as it comes", () => {
    for (const rules of BOTH) {
      const octets = encodeWebMessage(0, pattern(1_000_000), keyOf(rules));
      const whole = encodeFrame(0, pattern(1_000_000));
      const stand = new WebStand(rules, 1 << 20);
      stand.read(octets.subarray(0, 500));
      assertLess(470, stand.octets.length);
      stand.read(octets.subarray(500, 700_000), [100_000]);
      assertLess(699_900, stand.octets.length);
      stand.read(octets.subarray(700_000));
      assertOctets(stand.octets, whole);
      stand.reader.free();
    }
  });

  it("reads a long body without a mask straight to where it belongs", () => {
    const memory = new Uint8Array(300_000);
    let at = 0;
    const to = { target: () => memory.subarray(at), filled: (count: number) => void (at += count) };
    const reader = new WebSocketReader(new CoreMemory(), to, { control() {} }, CLIENT);
    const octets = encodeWebMessage(0, pattern(200_000));
    reader.target().set(octets.subarray(0, 1_000));
    reader.filled(1_000);
    assertStrictEquals(reader.target().buffer, memory.buffer);
    // No further than the end of the body.
    assertEquals(reader.target().length, octets.length - 1_000);
    reader.target().set(octets.subarray(1_000, 100_000));
    reader.filled(99_000);
    assertStrictEquals(reader.target().buffer, memory.buffer);
    assertOctets(memory.subarray(0, at), encodeFrame(0, pattern(200_000)).subarray(0, at));
  });

  it("reads more at once while much comes, and less when it is quiet", () => {
    const reader = new WebSocketReader(
      new CoreMemory(),
      { target: () => new Uint8Array(1 << 20), filled() {} },
      { control() {} },
      SERVER,
    );
    const pings = concat(
      ...Array<Uint8Array>(1_000).fill(encodeWeb(FIN | PONG, KEY, { key: KEY })),
    );
    const first = reader.target().length;
    assertLess(first, 4_097);
    let most = 0;
    let from = 0;
    for (let i = 0; i < 100; i++) {
      const target = reader.target();
      most = Math.max(most, target.length);
      // Each read goes on where the one before ended.
      for (let at = 0; at < target.length;) {
        const piece = pings.subarray(from, from + target.length - at);
        target.set(piece, at);
        at += piece.length;
        from = (from + piece.length) % pings.length;
      }
      reader.filled(target.length);
    }
    assertLess(250_000, most);
    const rest = (10 - from % 10) % 10;
    reader.target().set(pings.subarray(from, from + rest));
    reader.filled(rest);
    for (let i = 0; i < 1_000; i++) {
      reader.target().set(pings.subarray(0, 10));
      reader.filled(10);
    }
    assert(reader.target().length <= first);
    reader.free();
  });

  describe("when it is stopped", () => {
    const hello = encodeWebMessage(0, utf8("hello"), KEY);
    const ping = encodeWeb(FIN | PING, utf8("ping"), { key: KEY });

    it("gives nothing on any more", () => {
      const stand = new WebStand(SERVER);
      stand.read(concat(hello, ping, hello.subarray(0, 8)));
      stand.reader.stop();
      const { length } = stand.octets;
      stand.read(concat(hello.subarray(8), ping, hello, Uint8Array.of(0xff, 0xff)));
      assertEquals([stand.octets.length, stand.controls.length], [length, 1]);
    });

    it("from within a control frame, nothing behind that is looked at", () => {
      const stand = new WebStand(SERVER);
      stand.happening = () => {
        if (stand.controls.length === 1) stand.reader.stop();
      };
      stand.read(concat(hello, ping, ping, hello, Uint8Array.of(0xff, 0xff)));
      assertEquals(stand.fault, undefined);
      assertEquals([stand.octets.length, stand.controls.length], [7, 1]);
    });

    it("from within what takes the frames, the rest is dropped", () => {
      const stand = new WebStand(SERVER, 4);
      stand.happening = () => stand.reader.stop();
      stand.read(concat(hello, ping, hello));
      assertEquals([stand.octets.length, stand.controls.length], [4, 0]);
    });

    it("may be freed from there as well", () => {
      const stand = new WebStand(SERVER, 4, new CoreMemory());
      stand.happening = () => stand.reader.free();
      stand.reader.target().set(concat(hello, ping, hello));
      stand.reader.filled(2 * hello.length + ping.length);
      assertEquals([stand.octets.length, stand.controls.length], [4, 0]);
    });
  });
});
