// Messages without an end: frames and octets of one message are limited, nothing of one that goes too far is delivered, and
// it makes no difference in what pieces the octets come.

import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ProtocolError } from "../../src/errors.ts";
import type { OptionValues } from "../../src/options.ts";
import { CurveLink } from "../_util/curve_link.ts";
import { begun, isOver, repeated } from "../_util/hostile_stage.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { concat, pattern } from "../_util/octets.ts";
import { command, frame, message, ping } from "../_util/raw_zmtp.ts";

const MORE = 1;
const PARTS = 10;
const SIZE = 200_000;
const TOTAL = 2 ** 31 - 1;
/** How octets may be cut into reads; many octets not one by one, which takes long. */
function cutsOf(size: number): readonly number[] {
  return size < 20_000 ? [Infinity, 1, 13, 5_000] : [Infinity, 997, 70_001];
}

/** What became of a link. */
interface Verdict {
  /** The sizes of the frames of each message that was delivered. */
  readonly delivered: readonly (readonly number[])[];
  readonly code: string | undefined;
  readonly text: string;
}

type Rules = Partial<OptionValues>;

/** Sends octets to a link behind a whole message. */
function judge(octets: Uint8Array, options: Rules, cut: number = Infinity): Verdict {
  const stand = new LinkStand({ options: { receiveHighWaterMark: 0, ...options } }).serve();
  stand.stream.deliver(concat(message("whole"), octets), cut);
  const delivered = stand.receiveAll().map((frames) => frames.map(({ length }) => length));
  const error = stand.error as ProtocolError | undefined;
  assertEquals(isOver(stand.stream), error !== undefined);
  if (error !== undefined) assertInstanceOf(error, ProtocolError);
  stand.stream.end();
  assertEquals(stand.receiveAll().length, delivered.length, "nothing follows");
  return { delivered, code: error?.code, text: error?.message ?? "" };
}

/** These octets are delivered as one message, however they come. */
function welcome(octets: Uint8Array, options: Rules, frames: readonly number[]): void {
  for (const cut of cutsOf(octets.length)) {
    const { delivered, code, text } = judge(concat(octets, message("after")), options, cut);
    assertEquals([delivered, code], [[[5], frames, [5]], undefined], `cut ${cut}: ${text}`);
  }
}

/** These octets end the link, however they come, with what stands before them delivered. */
function refused(octets: Uint8Array, options: Rules, ...says: readonly string[]): void {
  for (const cut of cutsOf(octets.length)) {
    const { delivered, code, text } = judge(concat(octets, message("after")), options, cut);
    assertEquals([delivered, code], [[[5]], "EMSGSIZE"], `cut ${cut}: ${text}`);
    for (const words of says) assertStringIncludes(text, words);
  }
}

/** A message of so many frames, each with this body. */
function parts(count: number, body: Uint8Array): Uint8Array {
  return concat(repeated(count - 1, frame(body, true)), frame(body));
}

/** A short body in a frame that spends eight octets on its size. */
function longForm(body: Uint8Array, more: boolean): Uint8Array {
  const octets = begun(body.length, body.length, more ? MORE : 0);
  octets.set(body, 9);
  return octets;
}

function sizes(count: number, size: number): number[] {
  return Array.from({ length: count }, () => size);
}

describe("maxMessageParts", () => {
  const options = { maxMessageParts: PARTS };
  const bodies: Readonly<Record<string, Uint8Array>> = {
    "empty frames": new Uint8Array(0),
    "frames of an octet": pattern(1),
    "short frames": pattern(200),
    "frames longer than a read": pattern(9_000),
    "frames of 70 kB": pattern(70_000),
  };
  for (const [what, body] of Object.entries(bodies)) {
    it(`lets a message of as many ${what} through, and ends a peer that sends one more`, () => {
      welcome(parts(PARTS, body), options, sizes(PARTS, body.length));
      refused(parts(PARTS + 1, body), options, "10", "maxMessageParts");
    });
  }

  it("counts frames in either form of the header, long ones among short ones", () => {
    const long = pattern(70_000);
    const bodies = [long, pattern(3), long, pattern(0), pattern(300), pattern(1), long, pattern(2)];
    const rest = [frame(pattern(20_000), true), longForm(pattern(5), false)];
    const all = [...bodies.map((body) => frame(body, true)), ...rest];
    const lengths = [...bodies.map(({ length }) => length), 20_000, 5];
    welcome(concat(...all), options, lengths);
    refused(concat(longForm(pattern(1), true), ...all), options, "maxMessageParts");
  });

  it("ends the peer at the frame that is too many, whether the message ends with it or not", () => {
    const first = repeated(PARTS, frame("x", true));
    for (const last of [frame("y"), frame("y", true), frame(""), frame(pattern(70_000), true)]) {
      refused(concat(first, last), options, "maxMessageParts");
    }
  });

  it("counts the frames of each message by itself", () => {
    const octets = repeated(50, parts(PARTS, pattern(30)));
    for (const cut of cutsOf(octets.length)) {
      const { delivered, code } = judge(octets, options, cut);
      assertEquals([delivered.length, code], [51, undefined]);
    }
  });

  it("does not count commands among the frames", () => {
    const first = frame("x", true);
    const between = concat(ping("now"), command("ANYTHING"), command("X", pattern(2_000)));
    const octets = concat(repeated(PARTS - 1, concat(first, between)), frame("x"));
    welcome(octets, options, sizes(PARTS, 1));
  });

  it("is 65536 where nothing else is said", () => {
    const octets = parts(65_536, pattern(0));
    for (const cut of [Infinity, 97]) {
      assertEquals(judge(octets, {}, cut).delivered[1].length, 65_536);
      const { delivered, code, text } = judge(concat(frame("", true), octets), {}, cut);
      assertEquals([delivered, code], [[[5]], "EMSGSIZE"]);
      assertStringIncludes(text, "65536");
    }
  });

  it("is no limit with 0", () => {
    const octets = parts(150_000, pattern(1));
    const { delivered, code } = judge(octets, { maxMessageParts: 0 });
    assertEquals([delivered[1].length, code], [150_000, undefined]);
  });

  it("of 1 allows messages of a single frame only", () => {
    welcome(frame("one"), { maxMessageParts: 1 }, [3]);
    refused(message("one", "two"), { maxMessageParts: 1 }, "maxMessageParts");
  });
});

describe("maxMultipartSize", () => {
  const options = { maxMultipartSize: SIZE };

  it("lets a message of as many octets through, and ends a peer that sends one more", () => {
    for (const piece of [1_000, 8_000, 100_000]) {
      const first = repeated(SIZE / piece - 1, frame(pattern(piece), true));
      welcome(concat(first, frame(pattern(piece))), options, sizes(SIZE / piece, piece));
      refused(concat(first, frame(pattern(piece + 1))), options, "200000", "maxMultipartSize");
    }
  });

  it("does not count the headers, or frames without a body", () => {
    const octets = concat(repeated(1_000, frame("", true)), frame(pattern(SIZE)));
    welcome(octets, options, [...sizes(1_000, 0), SIZE]);
  });

  it("ends the peer as soon as the next frame's size is told, before there is room for it", () => {
    const first = concat(frame(pattern(100_000), true), frame(pattern(200), true));
    for (const size of [99_801, 2 ** 31 - 1]) {
      refused(concat(first, begun(size, 0)), options, "200000", "maxMultipartSize");
    }
    const { code } = judge(concat(first, begun(99_800, 0)), options);
    assertEquals(code, undefined, "one octet less may still come");
    refused(begun(SIZE + 1, 0), options);
  });

  it("counts the octets of each message by itself", () => {
    const octets = repeated(20, parts(2, pattern(90_000)));
    for (const cut of cutsOf(octets.length)) {
      const { delivered, code } = judge(octets, options, cut);
      assertEquals([delivered.length, code], [21, undefined]);
    }
  });

  it("is 2147483647 where nothing else is said", () => {
    refused(concat(frame("x", true), begun(TOTAL, 0)), {}, String(TOTAL));
    refused(concat(frame(pattern(70_000), true), begun(TOTAL - 69_999, 0)), {}, String(TOTAL));
    const { code } = judge(concat(frame("x", true), begun(TOTAL - 1, 0)), {});
    assertEquals(code, undefined, "just at the limit");
  });

  it("goes together with maxMessageSize, which is about one frame", () => {
    const both = { maxMultipartSize: 1_000, maxMessageSize: 400 };
    welcome(message(pattern(400), pattern(400), pattern(200)), both, [400, 400, 200]);
    refused(message(pattern(400), pattern(400), pattern(201)), both, "maxMultipartSize");
    refused(message(pattern(400), pattern(401)), both, "maxMessageSize");
  });
});

describe("the limits of a message over CURVE", () => {
  const options = { maxMessageParts: PARTS, maxMultipartSize: SIZE };

  /** With a mark of 1 the memory that is read into is small, and most frames are opened outside it. */
  async function verdict(
    payloads: readonly Uint8Array[],
    cut: number,
    receiveHighWaterMark: number,
  ): Promise<Verdict> {
    const link = await new CurveLink({ options: { ...options, receiveHighWaterMark } }).enter();
    link.stream.deliver(link.peer.send("whole"));
    link.stream.deliver(link.peer.send(...payloads), cut);
    if (!link.stream.over && link.error === undefined) link.stream.deliver(link.peer.send("after"));
    const delivered = link.receiveAll().map((frames) => frames.map(({ length }) => length));
    const { code, message } = (link.error ?? {}) as { code?: string; message?: string };
    return { delivered, code, text: message ?? "" };
  }

  const WAYS = [[Infinity, 0], [211, 0], [70_001, 0], [Infinity, 1], [977, 1]] as const;
  const good: Readonly<Record<string, readonly Uint8Array[]>> = {
    "of as many short frames": Array.from({ length: PARTS }, () => pattern(7)),
    "of as many long frames": Array.from({ length: PARTS }, () => pattern(SIZE / PARTS)),
    "of as many octets in two frames": [pattern(SIZE - 10), pattern(10)],
  };
  for (const [what, payloads] of Object.entries(good)) {
    it(`let a message ${what} through`, async () => {
      for (const [cut, mark] of WAYS) {
        const { delivered, code, text } = await verdict(payloads, cut, mark);
        const lengths = payloads.map(({ length }) => length);
        assertEquals([delivered, code], [[[5], lengths, [5]], undefined], text);
      }
    });
  }

  const bad: Readonly<Record<string, [string, readonly Uint8Array[]]>> = {
    "of a short frame too many": [
      "maxMessageParts",
      Array.from({ length: PARTS + 1 }, () => pattern(7)),
    ],
    "of a long frame too many": [
      "maxMessageParts",
      [...Array.from({ length: PARTS }, () => pattern(7)), pattern(70_000)],
    ],
    "of a frame of 20 kB too many": [
      "maxMessageParts",
      [...Array.from({ length: PARTS }, () => pattern(7)), pattern(20_000)],
    ],
    "of an octet too many in a frame of 20 kB": [
      "maxMultipartSize",
      [pattern(SIZE - 19_999), pattern(20_000)],
    ],
    "of an octet too many in a short frame": ["maxMultipartSize", [pattern(SIZE - 9), pattern(10)]],
    "of an octet too many in a long frame": [
      "maxMultipartSize",
      [pattern(90_000), pattern(SIZE - 89_999)],
    ],
  };
  for (const [what, [option, payloads]] of Object.entries(bad)) {
    it(`end a peer that sends a message ${what}`, async () => {
      for (const [cut, mark] of WAYS) {
        const { delivered, code, text } = await verdict(payloads, cut, mark);
        assertEquals([delivered, code], [[[5]], "EMSGSIZE"], `cut ${cut}: ${text}`);
        assertStringIncludes(text, option);
      }
    });
  }
});

describe("the limits of a message of older peers", () => {
  const options = { maxMessageParts: PARTS, maxMultipartSize: SIZE };

  /** A header of ZMTP 1.0, whose size counts the flags. */
  function oldHeader(size: number, more: boolean): Uint8Array {
    if (size < 254) return Uint8Array.of(1 + size, more ? 1 : 0);
    const octets = new Uint8Array(10);
    octets[0] = 255;
    new DataView(octets.buffer).setBigUint64(1, BigInt(1 + size));
    octets[9] = more ? 1 : 0;
    return octets;
  }

  const SECOND = Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, 5, 0, 0);
  const newHeader = (size: number, more: boolean): Uint8Array =>
    size < 256 ? Uint8Array.of(more ? MORE : 0, size) : begun(size, 0, more ? MORE : 0);
  const versions = {
    "1.0": [Uint8Array.of(1, 0), oldHeader],
    "2.0": [SECOND, newHeader],
  } as const;
  for (const [version, [hello, header]] of Object.entries(versions)) {
    const messageOf = (bodies: readonly Uint8Array[]): Uint8Array =>
      concat(...bodies.flatMap((body, i) => [header(body.length, i < bodies.length - 1), body]));
    const verdict = (octets: Uint8Array, cut: number): unknown[] => {
      const stand = new LinkStand({ options });
      stand.link.start();
      stand.stream.deliver(concat(hello, messageOf([pattern(3)]), octets), cut);
      const counts = stand.receiveAll().map((frames) => frames.length);
      return [counts, (stand.error as { code?: string } | undefined)?.code];
    };

    it(`hold for ZMTP ${version}, in frames and in octets`, () => {
      const many = Array.from({ length: PARTS }, () => pattern(300));
      const large = [pattern(SIZE - 500), pattern(500)];
      for (const cut of [Infinity, 1_009]) {
        assertEquals(verdict(messageOf(many), cut), [[1, PARTS], undefined]);
        assertEquals(verdict(messageOf([...many, pattern(1)]), cut), [[1], "EMSGSIZE"]);
        assertEquals(verdict(messageOf(large), cut), [[1, 2], undefined]);
        assertEquals(verdict(messageOf([...large, pattern(1)]), cut), [[1], "EMSGSIZE"]);
        const announced = concat(header(100, true), pattern(100), header(2 ** 31 - 1, false));
        assertEquals(verdict(announced, cut), [[1], "EMSGSIZE"]);
      }
    });
  }
});

describe("a sealed frame that is announced", () => {
  /** What a link says of a sealed frame's header, behind a frame of 100 octets. */
  async function verdictOn(announced: number, options: Rules): Promise<string | undefined> {
    const link = await new CurveLink({ options }).enter();
    const first = link.peer.send(pattern(100), "end");
    // Only the first of the two frames: the message goes on.
    link.stream.deliver(first.subarray(0, 2 + 133));
    link.stream.deliver(begun(announced + 33, 200));
    const { code } = (link.error ?? {}) as { code?: string };
    link.stream.end();
    return code;
  }

  it("beyond the limit of its message ends the peer before there is room for it", async () => {
    const options = { maxMultipartSize: SIZE };
    assertEquals(await verdictOn(1_000_000_000, options), "EMSGSIZE");
    assertEquals(await verdictOn(SIZE - 99, options), "EMSGSIZE");
    assertEquals(await verdictOn(SIZE - 100, options), undefined);
    assertEquals(await verdictOn(70_000, { maxMessageParts: 1 }), "EMSGSIZE");
  });
});

describe("a message that is not finished", () => {
  it("is dropped with its connection, and the next connection starts afresh", () => {
    const options = { maxMessageParts: PARTS, maxMultipartSize: 100 };
    const stand = new LinkStand({ options }).serve();
    stand.stream.deliver(repeated(PARTS, frame("0123456789", true)));
    stand.stream.end();
    const next = new LinkStand({ options, host: stand.host, pipe: stand.pipe }).serve();
    next.stream.deliver(parts(PARTS, pattern(10)));
    assertEquals(next.receiveAll().map((frames) => frames.length), [PARTS]);
    assert(!isOver(next.stream));
  });
});
