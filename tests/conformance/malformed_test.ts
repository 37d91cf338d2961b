// Each requirement that a peer can break, broken: the link ends, nothing partial is delivered, the
// event names the reason, and another peer of the same socket is served as before. And what must
// not end a link.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { Context, Pull } from "../../mod.ts";
import { textsOf, utf8 } from "../_util/bytes.ts";
import { codeOf, EventLog } from "../_util/event_log.ts";
import type { FakeStream } from "../_util/fake_stream.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { concat, pattern } from "../_util/octets.ts";
import { command, frame, greeting, longHeader, message, ready } from "../_util/raw_zmtp.ts";
import { ScriptedRuntime } from "../_util/scripted_runtime.ts";
import { expand } from "../_util/vectors.ts";

const LIMIT = 200;
const COMMAND = 4;
const FOREIGN = "ERR_ZMTP_UNSPECIFIED";
const MISMATCH = "ERR_ZMTP_MECHANISM_MISMATCH";
const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const MALFORMED = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const METADATA = "ERR_ZMTP_INVALID_METADATA";
const TOO_LONG = "EMSGSIZE";

type Cases = Readonly<Record<string, readonly [octets: Uint8Array | string, code: string]>>;

let runtime: ScriptedRuntime;
let pull: Pull;
let log: EventLog;
let good: FakeStream;

function octetsOf(octets: Uint8Array | string): Uint8Array {
  return typeof octets === "string" ? expand(octets) : octets;
}

/** A greeting with one octet changed. */
function spoilt(at: number, octet: number): Uint8Array {
  const octets = greeting();
  octets[at] = octet;
  return octets;
}

/** A READY with properties as they are, right or wrong. */
function readyOf(...properties: readonly (readonly [string, Uint8Array | string])[]): Uint8Array {
  return command(
    "READY",
    concat(...properties.map(([name, value]) => {
      const octets = typeof value === "string" ? utf8(value) : value;
      const size = new Uint8Array(4);
      new DataView(size.buffer).setUint32(0, octets.length);
      return concat(Uint8Array.of(name.length), utf8(name), size, octets);
    })),
  );
}

/** The ways in which octets come; more may come behind them. */
const WAYS: readonly (readonly [size: number, tail: Uint8Array])[] = [
  [Infinity, utf8("")],
  [1, utf8("")],
  [3, message("behind")],
  [Infinity, message("behind")],
];

/**
 * Has strangers say these octets, in every way; what came before is delivered, and `code` is the
 * end.
 */
async function breaks(
  said: readonly Uint8Array[],
  code: string,
  delivered: readonly string[],
): Promise<void> {
  for (const [size, tail] of WAYS) {
    const seen = log.all.length;
    const bad = runtime.listeners[0].accept();
    bad.deliver(concat(...said, tail), size);
    assertMatch(bad.calls.join(), /(close|abort)$/);
    await microtasks();
    const events = log.all.slice(seen);
    assertEquals(events.map(codeOf).filter((found) => found !== undefined).slice(0, 1), [code]);
    assertEquals(events.at(-1)!.type, "disconnect");
    bad.end();
    good.deliver(message("good"));
    const received: string[] = [];
    for (let frames = pull.tryReceive(); frames; frames = pull.tryReceive()) {
      received.push(textsOf(frames).join("|"));
    }
    assertEquals(received.sort(), [...delivered, "good"].sort());
    assertEquals(pull.stats().peers.length, 1);
  }
}

/** Has strangers say these octets, in every way; their link goes on. */
async function passes(...said: readonly Uint8Array[]): Promise<void> {
  for (const [size] of WAYS) {
    const stranger = runtime.listeners[0].accept();
    stranger.deliver(concat(...said, message("a", "b")), size);
    assertEquals(stranger.calls, ["start"]);
    assertEquals(textsOf(pull.tryReceive()!), ["a", "b"]);
    stranger.end();
    await microtasks();
  }
}

/** A socket, and a peer that does as it should. */
async function open(): Promise<void> {
  runtime = new ScriptedRuntime();
  pull = new Pull({ context: new Context({ runtime }), maxMessageSize: LIMIT });
  log = new EventLog(pull);
  await pull.bind("tcp://127.0.0.1:5555");
  good = runtime.listeners[0].accept();
  good.deliver(concat(greeting(), ready("PUSH")));
  await microtasks();
}

describe("a greeting that breaks the rules", () => {
  before(open);
  after(() => pull.close());

  const cases: Cases = {
    "ZMTP31-GREETING-02: of another protocol": [utf8("GET / HTTP/1.1\r\n\r\n"), FOREIGN],
    "ZMTP31-GREETING-02: of TLS": ["16 03 01 02 00 01 00 01 fc 03 03", FOREIGN],
    "ZMTP31-GREETING-02: of zeros": ["64*00", FOREIGN],
    "ZMTP31-VER-03: of a revision that there never was": [spoilt(10, 0), FOREIGN],
    "ZMTP31-GREETING-14: with another mechanism": [greeting("PLAIN"), MISMATCH],
    "ZMTP31-GREETING-14: with a mechanism in small letters": [greeting("null"), MISMATCH],
    "ZMTP31-GREETING-14: without a mechanism": [greeting(""), MISMATCH],
    "ZMTP31-GREETING-07: with something behind the mechanism": [spoilt(31, 1), MISMATCH],
    "ZMTP31-MECH-01: with a list of mechanisms": [greeting("NULL,PLAIN"), MISMATCH],
  };
  for (const [what, [octets, code]] of Object.entries(cases)) {
    it(what, () => breaks([octetsOf(octets)], code, []));
  }
});

describe("a handshake that breaks the rules", () => {
  before(open);
  after(() => pull.close());

  const type = ["Socket-Type", "PUSH"] as const;
  const cases: Cases = {
    "ZMTP31-FRAME-02: with an unknown flag": ["0c 00 00", UNEXPECTED],
    "ZMTP31-FRAME-04: with MORE on a command": ["05 06 05 5245414459", UNEXPECTED],
    "ZMTP31-FRAME-05: with a command of 2^63 octets": [longHeader(2n ** 63n, COMMAND), TOO_LONG],
    "ZMTP31-FRAME-09: with a command of 2^31 octets": [longHeader(2n ** 31n, COMMAND), TOO_LONG],
    "ZMTP31-CMD-01: with an empty command": ["04 00", MALFORMED],
    "ZMTP31-CMD-01: with a command without a name": ["04 02 00 41", MALFORMED],
    "ZMTP31-CMD-01: with a name that is longer than its command": ["04 02 05 52", MALFORMED],
    "ZMTP31-CMD-01: with a name that is not of letters": ["04 03 02 5239", MALFORMED],
    "ZMTP31-NULL-09: with a message first": [message("early"), UNEXPECTED],
    "ZMTP31-MECH-05: with no command at all": [message("a", "b"), UNEXPECTED],
    "ZMTP31-NULL-09: with another command first": [command("HELLO"), UNEXPECTED],
    "ZMTP31-NULL-07: with an ERROR": [command("ERROR", expand("02 6e6f")), FOREIGN],
    "ZMTP31-NULL-07: with an ERROR that is cut off": [
      command("ERROR", expand("03 6e6f")),
      "ERR_ZMTP_MALFORMED_COMMAND_ERROR",
    ],
    "ZMTP31-META-01: with a property without a name": [
      command("READY", expand("00 00000001 41")),
      METADATA,
    ],
    "ZMTP31-META-02: with a name of other characters": [readyOf(type, ["X Y", "1"]), METADATA],
    "ZMTP31-META-04: with a value of 2^31 octets": [
      command("READY", expand("01 41 80000000 31")),
      METADATA,
    ],
    "ZMTP31-META-08: with a property that is cut off": [
      command("READY", expand("01 41 00000002 31")),
      METADATA,
    ],
    "ZMTP31-META-08: with octets left over": [
      command("READY", expand("01 41 00000001 31 00")),
      METADATA,
    ],
    "ZMTP31-META-09: with a second type that is wrong": [
      readyOf(type, ["socket-type", "PULL"]),
      METADATA,
    ],
    "ZMTP31-SOCKTYPE-01: with a type in small letters": [ready("push"), METADATA],
    "ZMTP31-SOCKTYPE-01: with a type that goes on": [ready("PUSH\0"), METADATA],
    "ZMTP31-SOCKTYPE-01: with an empty type": [ready(""), METADATA],
    "ZMTP31-SOCKTYPE-02: with a type that does not fit": [ready("DEALER"), METADATA],
    "ZMTP31-SOCKTYPE-02: with a type of libzmq alone": [ready("STREAM"), METADATA],
    "ZMTP31-ID-03: with a routing id of 256 octets": [ready("PUSH", pattern(256)), METADATA],
    "ZMTP31-ID-04: with a routing id that is reserved": [ready("PUSH", "\0abc"), METADATA],
    "ZMTP31-ID-04: with a routing id of a zero octet": [ready("PUSH", "\0"), METADATA],
  };
  for (const [what, [octets, code]] of Object.entries(cases)) {
    it(what, () => breaks([greeting(), octetsOf(octets)], code, []));
  }
});

describe("traffic that breaks the rules", () => {
  before(open);
  after(() => pull.close());

  const cases: Cases = {
    "ZMTP31-FRAME-02: bit 3": ["08 00", MALFORMED],
    "ZMTP31-FRAME-02: bit 7": ["80 00", MALFORMED],
    "ZMTP31-FRAME-02: all bits": ["ff ff", MALFORMED],
    "ZMTP31-FRAME-04: MORE on a command": ["05 05 04 504f4e47", MALFORMED],
    "ZMTP31-FRAME-04: MORE on a long command": ["07 7*00 05 04 504f4e47", MALFORMED],
    "ZMTP31-FRAME-05: a size of 2^63": [longHeader(2n ** 63n), TOO_LONG],
    "ZMTP31-FRAME-05: a size of 2^64-1": [longHeader(2n ** 64n - 1n), TOO_LONG],
    "ZMTP31-FRAME-09: a size of 2^53": [longHeader(2n ** 53n), TOO_LONG],
    "ZMTP31-FRAME-09: a size of 2^31": [longHeader(2n ** 31n), TOO_LONG],
    "ZMTP31-FRAME-09: a size above maxMessageSize": [longHeader(BigInt(LIMIT + 1)), TOO_LONG],
    "ZMTP31-FRAME-10: a short frame above maxMessageSize": [frame(pattern(LIMIT + 1)), TOO_LONG],
    "ZMTP31-FRAME-09: a command above 64 kB": [longHeader(65_537n, COMMAND), TOO_LONG],
    "ZMTP31-CMD-01: an empty command": ["04 00", MALFORMED],
    "ZMTP31-CMD-01: a command without a name": ["04 01 00", MALFORMED],
    "ZMTP31-CMD-01: a name that is longer than its command": ["04 02 09 53", MALFORMED],
    "ZMTP31-CMD-01: a name that is not of letters": ["04 03 02 5000", MALFORMED],
    "ZMTP31-HB-02: a PING without its time to live": [command("PING"), MALFORMED],
    "ZMTP31-HB-02: a PING with half of it": [command("PING", expand("00")), MALFORMED],
    "ZMTP31-HB-04: a PING with a context of 17 octets": [command("PING", pattern(19)), MALFORMED],
    "ZMTP31-HB-04: a PONG with a context of 17 octets": [command("PONG", pattern(17)), MALFORMED],
  };
  for (const [what, [octets, code]] of Object.entries(cases)) {
    it(`${what} (ZMTP31-MSG-01, CONN-06)`, () => {
      const whole = message("whole", "1");
      const half = concat(frame("half", true), frame("of it", true));
      return breaks([greeting(), ready("PUSH"), whole, half, octetsOf(octets)], code, ["whole|1"]);
    });
  }
});

describe("a peer that breaks the rules", () => {
  before(open);
  after(() => pull.close());

  it("is told with its address and the reason, each time (ZMTP31-SEC-01)", async () => {
    for (const port of [50_001, 50_002, 50_002]) {
      const seen = log.all.length;
      const bad = runtime.listeners[0].accept({ remote: { host: "192.0.2.7", port } });
      bad.deliver(greeting("PLAIN"));
      await microtasks();
      const told = log.all.slice(seen).map(({ type, ...event }) => {
        const { peerAddress } = event as { peerAddress?: string };
        return [type, peerAddress, codeOf(event)];
      });
      const from = `tcp://192.0.2.7:${port}`;
      assertEquals(told.filter(([type]) => type !== "accept"), [
        ["handshake:error:protocol", from, MISMATCH],
        ["disconnect", from, MISMATCH],
      ]);
      bad.end();
    }
  });
});

describe("what does not end a link", () => {
  before(open);
  after(() => pull.close());

  const filled = greeting();
  filled.fill(0xaa, 1, 9).fill(0x55, 32);
  const greetings: Readonly<Record<string, Uint8Array>> = {
    "ZMTP31-GREETING-03, ZMTP31-GREETING-09, ZMTP31-GREETING-15: octets that say nothing": filled,
    "ZMTP31-VER-01: a later version": spoilt(10, 9),
  };
  for (const [what, octets] of Object.entries(greetings)) {
    it(what, () => passes(octets, ready("PUSH")));
  }

  const handshakes: Readonly<Record<string, Uint8Array>> = {
    "ZMTP31-META-03: names of another case": readyOf(["SOCKET-TYPE", "PUSH"]),
    "ZMTP31-META-04: a property without a value": readyOf(["Socket-Type", "PUSH"], ["X-a", ""]),
    "ZMTP31-META-06, ZMTP31-META-07: unknown properties": readyOf(
      ["x.+_-9", "?"],
      ["Socket-Type", "PUSH"],
      ["X-mine", pattern(300)],
    ),
    "ZMTP31-META-09: a property twice": readyOf(["Socket-Type", "PUSH"], ["X", "1"], ["x", "2"]),
    "ZMTP31-META-10: no type": readyOf(),
    "ZMTP31-RES-03, ZMTP31-RES-05: a resource": readyOf(
      ["Socket-Type", "PUSH"],
      ["Resource", "a/b/$-_@.&+"],
    ),
    "ZMTP31-RES-03, ZMTP31-RES-05: a resource of any octets": readyOf(
      ["Socket-Type", "PUSH"],
      ["Resource", pattern(100)],
    ),
    "ZMTP31-ID-02, ZMTP31-ID-03: a routing id where nobody needs one": ready(
      "PUSH",
      pattern(255).fill(65, 0, 1),
    ),
    "ZMTP31-FRAME-06: a long READY": concat(longHeader(26n, COMMAND), ready("PUSH").subarray(2)),
  };
  for (const [what, octets] of Object.entries(handshakes)) {
    it(what, () => passes(greeting(), octets));
  }

  const traffic: Readonly<Record<string, Uint8Array | string>> = {
    "ZMTP31-CMD-04: an unknown command": command("WHATEVER", pattern(1_000)),
    "ZMTP31-CMD-05: READY": ready("PULL"),
    "ZMTP31-CMD-05: ERROR": command("ERROR", expand("02 6e6f")),
    "ZMTP31-CMD-07: SUBSCRIBE": command("SUBSCRIBE", utf8("a")),
    "ZMTP31-CMD-07: CANCEL": command("CANCEL", utf8("a")),
    "ZMTP31-CMD-07: JOIN": command("JOIN", utf8("a")),
    "ZMTP31-CMD-07: LEAVE": command("LEAVE", utf8("a")),
    "ZMTP31-HB-13: a PONG that nobody asked for": command("PONG", pattern(16)),
  };
  for (const [what, octets] of Object.entries(traffic)) {
    it(what, async () => {
      await passes(greeting(), ready("PUSH"), octetsOf(octets));
      // Between the frames of a message, too (ZMTP31-CMD-06).
      const stranger = runtime.listeners[0].accept();
      stranger.deliver(concat(greeting(), ready("PUSH"), frame("a", true), octetsOf(octets)));
      assertEquals(pull.tryReceive(), undefined);
      stranger.deliver(frame("b"));
      assertEquals(textsOf(pull.tryReceive()!), ["a", "b"]);
      assert(!stranger.over);
      stranger.end();
      await microtasks();
    });
  }

  it("ZMTP31-FRAME-07: the long form of a short frame", async () => {
    const stranger = runtime.listeners[0].accept();
    stranger.deliver(concat(greeting(), ready("PUSH"), expand("03 8*00 02 7*00 01 61")));
    assertEquals(textsOf(pull.tryReceive()!), ["", "a"]);
    stranger.end();
    await microtasks();
  });

  it("ZMTP31-FRAME-10: frames that are longer than maxMessageSize together", async () => {
    const bodies = [pattern(LIMIT), pattern(LIMIT), pattern(LIMIT)];
    const stranger = runtime.listeners[0].accept();
    stranger.deliver(concat(greeting(), ready("PUSH"), message(...bodies)));
    assertEquals(pull.tryReceive()!.map(({ length }) => length), [LIMIT, LIMIT, LIMIT]);
    stranger.end();
    await microtasks();
  });
});
