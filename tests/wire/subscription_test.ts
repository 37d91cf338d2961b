// Requests for topics in their two forms, against the golden vectors and by hand.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeCommand } from "../../src/wire/command.ts";
import {
  CANCEL,
  checkTopic,
  encodeCommandForm,
  encodeMessageForm,
  isRequest,
  SUBSCRIBE,
} from "../../src/wire/subscription.ts";
import { COMMAND_LIMIT, TOPIC_LIMIT } from "../../wasm/layout.ts";
import { textOf, toHex, utf8 } from "../_util/bytes.ts";
import { pattern } from "../_util/octets.ts";
import { failure } from "../_util/rejection.ts";
import { COMMANDS } from "../_util/vectors.ts";

const NAMES: Readonly<Record<string, number>> = { SUBSCRIBE, CANCEL };
const VECTORS = COMMANDS.filter(({ name }) => name in NAMES);

describe("encodeCommandForm()", () => {
  it("has vectors for both requests, short and long", () => {
    assertEquals(new Set(VECTORS.map(({ name }) => name)), new Set(Object.keys(NAMES)));
    assertEquals(new Set(VECTORS.map(({ octets }) => octets[0])), new Set([4, 6]));
  });

  for (const { id, meaning, name, octets, data } of VECTORS) {
    it(`gives the body of ${id}: ${meaning} (ZMTP31-SUB-02, ZMTP31-SUB-03)`, () => {
      const body = encodeCommandForm(NAMES[name], data!);
      assertEquals(toHex(body), toHex(octets.subarray(octets[0] & 2 ? 9 : 2)));
    });
  }

  it("gives a body that decodes to the same topic, and fits a command even with the longest", () => {
    for (const size of [0, 1, 255, 256, TOPIC_LIMIT]) {
      for (const [name, kind] of Object.entries(NAMES)) {
        const body = encodeCommandForm(kind, pattern(size));
        const command = decodeCommand(body);
        assertEquals([command.name, toHex(command.data)], [name, toHex(pattern(size))]);
      }
    }
    assertEquals(encodeCommandForm(SUBSCRIBE, pattern(TOPIC_LIMIT)).length, COMMAND_LIMIT);
  });
});

describe("encodeMessageForm()", () => {
  it("puts an octet before the topic: 1 subscribes, 0 unsubscribes (ZMTP30-SUB-01, ZMTP30-SUB-02)", () => {
    assertEquals(toHex(encodeMessageForm(SUBSCRIBE, utf8("abc"))), "01616263");
    assertEquals(toHex(encodeMessageForm(CANCEL, utf8("abc"))), "00616263");
    assertEquals(toHex(encodeMessageForm(SUBSCRIBE, utf8(""))), "01");
  });

  it("copies the topic", () => {
    const topic = utf8("abc");
    const body = encodeMessageForm(SUBSCRIBE, topic);
    topic.fill(0);
    assertEquals(textOf(body.subarray(1)), "abc");
  });
});

describe("isRequest()", () => {
  it("goes by the first octet or character alone", () => {
    for (const text of ["\x00", "\x01", "\x00a", "\x01\x02"]) {
      assertEquals([isRequest(text), isRequest(utf8(text))], [true, true]);
    }
    for (const text of ["", "\x02", "a", "a\x01", "\u0100", "\u0101", "ä"]) {
      assertEquals([isRequest(text), isRequest(utf8(text))], [false, false], text);
    }
  });
});

describe("checkTopic()", () => {
  it("refuses what fits into no command", () => {
    checkTopic(new Uint8Array(TOPIC_LIMIT));
    const error = failure(() => checkTopic(new Uint8Array(TOPIC_LIMIT + 1)), "EINVAL");
    assertEquals(error.name, "RangeError");
  });
});
