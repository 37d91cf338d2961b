// What a peer may not send on a WebSocket: the close code that RFC 6455 names, an error that says what was there, and nothing
// of what came before is lost.

import { assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ProtocolError } from "../../src/errors.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { concat, pattern } from "../_util/octets.ts";
import {
  CONTINUATION,
  encodeWeb,
  encodeWebMessage,
  FIN,
  type Making,
  type Rules,
} from "./models/websocket_model.ts";
import { WebStand } from "./models/websocket_stand.ts";

const KEY = pattern(4, 1);
const EMPTY = new Uint8Array(0);

/** How a peer of this side makes a frame. */
type Make = (first: number, payload: Uint8Array, making?: Making) => Uint8Array;

interface Fault {
  readonly name: string;
  readonly code: number;
  readonly says: string;
  readonly octets: (make: Make) => Uint8Array;
  readonly limit?: number;
  readonly commands?: boolean;
}

const FAULTS: readonly Fault[] = [
  ...[0x40, 0x20, 0x10].map((bit) => ({
    name: `the reserved bit 0x${bit.toString(16)}`,
    code: 1002,
    says: `reserved bits 0x${bit.toString(16)}`,
    octets: (make: Make) => make(0x82 | bit, utf8("\0hi")),
  })),
  ...[3, 7, 11, 15].map((opcode) => ({
    name: `the opcode ${opcode}`,
    code: 1002,
    says: `unknown opcode 0x0${opcode.toString(16)}`,
    octets: (make: Make) => make(FIN | opcode, EMPTY),
  })),
  {
    name: "a text message (ZWS2-FRAME-01)",
    code: 1003,
    says: "a text message",
    octets: (make) => make(0x81, utf8("\0hi")),
  },
  {
    name: "a fragment of a text message (ZWS2-FRAME-01)",
    code: 1003,
    says: "a text message",
    octets: (make) => make(0x01, utf8("\0hi")),
  },
  ...[8, 9, 10].flatMap((opcode) => [
    {
      name: `a control frame ${opcode} of 126 octets`,
      code: 1002,
      says: "more than the 125 octets",
      octets: (make: Make) => make(FIN | opcode, pattern(126)),
    },
    {
      name: `a fragmented control frame ${opcode}`,
      code: 1002,
      says: `fragmented control frame, with the opcode 0x0${opcode.toString(16)}`,
      octets: (make: Make) => make(opcode, EMPTY),
    },
  ]),
  {
    name: "a short length in two octets",
    code: 1002,
    says: "length in a wrong way, as 125",
    octets: (make) => make(0x82, pattern(125), { field: 2 }),
  },
  {
    name: "a medium length in eight octets",
    code: 1002,
    says: "length in a wrong way, as 65535",
    octets: (make) => make(0x82, pattern(65_535), { field: 8 }),
  },
  {
    name: "a frame of 2^63 octets",
    code: 1002,
    says: "as 9223372036854775808",
    octets: (make) => make(0x82, EMPTY, { field: 8, length: 2n ** 63n }),
  },
  {
    name: "a frame of 2^63-1 octets",
    code: 1009,
    says: "a frame of 9223372036854775806 octets, more than the 2147483647 allowed",
    octets: (make) => make(0x82, EMPTY, { field: 8, length: 2n ** 63n - 1n }),
  },
  {
    name: "a frame above the limit, as soon as it is announced",
    code: 1009,
    says: "70001 octets, more than the 70000 allowed; maxMessageSize",
    octets: (make) => make(0x82, Uint8Array.of(0), { length: 70_002n }),
    limit: 70_000,
  },
  {
    name: "a short frame above the limit",
    code: 1009,
    says: "a frame of 11 octets, more than the 10 allowed; maxMessageSize",
    octets: (make) => make(0x82, concat(Uint8Array.of(1), pattern(11))),
    limit: 10,
  },
  {
    name: "fragments above the limit together",
    code: 1009,
    says: "a frame of 11 octets, more than the 10 allowed; maxMessageSize",
    octets: (make) =>
      concat(make(2, Uint8Array.of(0, 1)), make(0, pattern(9)), make(CONTINUATION, pattern(1))),
    limit: 10,
  },
  {
    name: "a command of 65537 octets",
    code: 1009,
    says: "a command of 65537 octets, more than the 65536 allowed",
    octets: (make) => make(0x82, concat(Uint8Array.of(2), pattern(65_537))),
  },
  {
    name: "a command where there are none (ZWS2-NONE-02)",
    code: 1002,
    says: "a command, with the flags 0x02",
    octets: (make) => make(0x82, utf8("\x02\x05READY")),
    commands: false,
  },
  {
    name: "a command in fragments where there are none",
    code: 1002,
    says: "a command, with the flags 0x02",
    octets: (make) => make(0x02, utf8("\x02\x05READY")),
    commands: false,
  },
  {
    name: "unknown flags",
    code: 1002,
    says: "unknown flags 0x03",
    octets: (make) => make(0x82, utf8("\x03hi")),
  },
  {
    name: "unknown flags in a long frame",
    code: 1002,
    says: "unknown flags 0x80",
    octets: (make) => make(0x82, Uint8Array.of(0x80), { length: 70_000n }),
  },
  {
    name: "unknown flags in a medium frame",
    code: 1002,
    says: "unknown flags 0xff",
    octets: (make) => make(0x82, Uint8Array.of(0xff), { length: 300n }),
  },
  {
    name: "a message without flags (ZWS2-FRAME-02)",
    code: 1002,
    says: "an empty message",
    octets: (make) => make(0x82, EMPTY),
  },
  {
    name: "fragments without flags (ZWS2-FRAME-02)",
    code: 1002,
    says: "an empty message",
    octets: (make) => concat(make(2, EMPTY), make(FIN | CONTINUATION, EMPTY)),
  },
  {
    name: "a continuation of nothing",
    code: 1002,
    says: "a continuation, with no message",
    octets: (make) => make(FIN | CONTINUATION, utf8("hi")),
  },
  {
    name: "a fragment of nothing",
    code: 1002,
    says: "a continuation, with no message",
    octets: (make) => make(CONTINUATION, utf8("hi")),
  },
  ...[0x82, 0x02].map((first) => ({
    name: `a message (0x${first.toString(16).padStart(2, "0")}) inside another`,
    code: 1002,
    says: "a message that begins inside another one",
    octets: (make: Make) => concat(make(0x02, utf8("\0h")), make(first, utf8("\0hi"))),
  })),
];

for (const masked of [true, false]) {
  const key = masked ? KEY : undefined;
  const make: Make = (first, payload, making) => encodeWeb(first, payload, { key, ...making });
  const before = encodeWebMessage(0, utf8("before"), key);
  const check = (fault: Fault) => {
    const rules: Rules = { masked, limit: fault.limit ?? -1, commands: fault.commands ?? true };
    const octets = concat(before, fault.octets(make));
    for (const sizes of [[Infinity], [1], [3], [before.length]]) {
      const stand = new WebStand(rules);
      stand.read(octets, sizes);
      stand.compare(octets, rules);
      assertEquals(stand.fault?.closeCode, fault.code);
      const { error } = stand.fault!;
      assertInstanceOf(error, ProtocolError);
      assertEquals(error.code, fault.code === 1009 ? "EMSGSIZE" : "ERR_WS_FRAME");
      assertStringIncludes(error.message, fault.says);
      assertEquals(toHex(stand.octets.subarray(0, 8)), `0006${toHex(utf8("before"))}`);
      stand.reader.free();
    }
  };

  describe(`A ${masked ? "server" : "client"} refuses on a WebSocket`, () => {
    for (const fault of FAULTS) it(fault.name, () => check(fault));

    it(`${masked ? "a frame without a mask" : "a masked frame"} (ZWS2-FRAME-04)`, () => {
      for (const first of [0x82, 0x02, 0x88, 0x89]) {
        check({
          name: "",
          code: 1002,
          says: masked ? "a frame without a mask" : "a frame with a mask",
          octets: () => encodeWeb(first, utf8("\0hi"), { key: masked ? undefined : KEY }),
        });
      }
    });
  });
}
