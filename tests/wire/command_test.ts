import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeCommand, decodeError, encodeCommand, encodeError } from "../../src/wire/command.ts";
import { decodeMetadata, encodeMetadata } from "../../src/wire/metadata.ts";
import { textOf, toHex, utf8 } from "../_util/bytes.ts";
import { pattern } from "../_util/octets.ts";
import { failure } from "../_util/rejection.ts";
import { COMMANDS, type CommandVector, expand } from "../_util/vectors.ts";

const MALFORMED = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";

function bodyOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(frame[0] & 2 ? 9 : 2);
}

function encodeVector({ name, data, properties, reason }: CommandVector): Uint8Array {
  if (properties !== undefined) return encodeCommand(name, encodeMetadata(properties));
  return reason !== undefined ? encodeError(reason) : encodeCommand(name, data!);
}

describe("the command vectors", () => {
  for (const vector of COMMANDS) {
    const { id, meaning, octets, size, name, data, properties, reason } = vector;

    it(`${id} is what the encoder gives: ${meaning}`, () => {
      assertEquals(octets.length, size);
      assertEquals(toHex(encodeVector(vector)), toHex(octets));
    });

    it(`${id} is what the decoder reads`, () => {
      const command = decodeCommand(bodyOf(octets));
      assertEquals(command.name, name);
      if (data !== undefined) assertEquals(toHex(command.data), toHex(data));
      if (reason !== undefined) assertEquals(decodeError(command.data), reason);
      if (properties === undefined) return;
      assertEquals(
        [...decodeMetadata(command.data)].map(([key, value]) => [key, toHex(value)]),
        properties.map(([key, value]) => [key.toLowerCase(), toHex(value)]),
      );
    });
  }
});

describe("encodeCommand()", () => {
  it("uses the short form up to 255 octets and the long form from 256 on (ZMTP31-FRAME-06)", () => {
    const short = encodeCommand("PING", pattern(250));
    assertEquals([short[0], short[1], short.length], [4, 255, 257]);
    const long = encodeCommand("PING", pattern(251));
    assertEquals(toHex(long.subarray(0, 10)), "06000000000000010004");
    assertEquals(long.length, 265);
  });

  it("joins several spans of data", () => {
    const command = decodeCommand(bodyOf(encodeCommand("X", utf8("a"), utf8(""), utf8("bc"))));
    assertEquals([command.name, textOf(command.data)], ["X", "abc"]);
  });
});

describe("decodeCommand()", () => {
  it("gives the data as a view on the frame", () => {
    const body = bodyOf(encodeCommand("PING", pattern(5)));
    assertEquals(decodeCommand(body).data.buffer, body.buffer);
  });

  it("reads names of any case and length (ZMTP31-CMD-01, ZMTP31-CMD-03)", () => {
    for (const name of ["a", "Ping", "x".repeat(255)]) {
      assertEquals(decodeCommand(bodyOf(encodeCommand(name))).name, name);
    }
  });

  it("reads the names that come often as it reads all others", () => {
    // Whole names, their beginnings, and names with a letter more or other.
    const names = ["SUBSCRIBE", "CANCEL", "PING", "PONG"].flatMap((name) => [
      name,
      name.slice(0, -1),
      `${name}S`,
      name.toLowerCase(),
      `X${name.slice(1)}`,
    ]);
    const bodies = names.flatMap((name) =>
      [name.length, name.length - 1, name.length + 1].flatMap((size) =>
        ["", "x", "xyz", "\x00\xff", name].map((data) =>
          utf8(String.fromCharCode(size) + name + data)
        )
      )
    );
    for (const body of bodies) {
      const name = textOf(body.subarray(1, 1 + body[0]));
      if (name.length !== body[0] || !/^[A-Za-z]+$/.test(name)) {
        failure(() => decodeCommand(body), MALFORMED);
        continue;
      }
      const command = decodeCommand(body);
      assertEquals([command.name, toHex(command.data)], [name, toHex(body.subarray(1 + body[0]))]);
    }
  });

  const malformed: Readonly<Record<string, string>> = {
    "an empty body": "",
    "an empty name": "00 41",
    "a name that is cut off": "05 504f4e47",
    "a name with a digit": "02 5031",
    "a name with a space": "05 50 20 494e 47",
    "a name with a NUL": "05 50494e47 00",
    "a name outside ASCII": "02 50 e9",
  };
  for (const [name, hex] of Object.entries(malformed)) {
    it(`refuses ${name} (ZMTP31-CMD-01)`, () => {
      failure(() => decodeCommand(expand(hex)), MALFORMED);
    });
  }
});

describe("encodeError()", () => {
  it("keeps to printable characters and at most 255 of them (ZMTP31-NULL-07)", () => {
    const reason = (text: string): string =>
      decodeError(decodeCommand(bodyOf(encodeError(text))).data);
    assertEquals(reason("a\tb\u00e9\n"), "a?b??");
    assertEquals(reason("x".repeat(300)), "x".repeat(255));
    assertEquals(reason(""), "");
  });
});

describe("decodeError()", () => {
  for (const [name, hex] of [["nothing", ""], ["too little", "03 3430"], ["too much", "01 3430"]]) {
    it(`refuses ${name} where a reason should be`, () => {
      const error = failure(() => decodeError(expand(hex)), "ERR_ZMTP_MALFORMED_COMMAND_ERROR");
      assertStringIncludes(error.message, "ERROR");
    });
  }
});
