import { assert, assertEquals, assertInstanceOf, assertNotStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { ProtocolError } from "../../src/errors.ts";
import { decodeMetadata, encodeMetadata } from "../../src/wire/metadata.ts";
import { textOf, toHex, utf8 } from "../_util/bytes.ts";
import { pattern } from "../_util/octets.ts";
import { failure } from "../_util/rejection.ts";
import { expand } from "../_util/vectors.ts";

const INVALID = "ERR_ZMTP_INVALID_METADATA";

const name = fc.string({
  unit: fc.constantFrom(..."ABCxyz019-_.+"),
  minLength: 1,
  maxLength: 255,
});
const properties = fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 300 })), {
  selector: ([name]) => name.toLowerCase(),
});

describe("metadata", () => {
  it("comes back as it was encoded (ZMTP31-META-02, ZMTP31-META-04)", () => {
    fc.assert(fc.property(properties, (entries) => {
      const decoded = decodeMetadata(encodeMetadata(entries));
      assertEquals(
        [...decoded].map(([key, value]) => [key, toHex(value)]),
        entries.map(([key, value]) => [key.toLowerCase(), toHex(value)]),
      );
    }));
  });

  it("of any octets is read or refused, and nothing else", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (octets) => {
      try {
        decodeMetadata(octets);
      } catch (error) {
        assertInstanceOf(error, ProtocolError);
      }
    }));
  });

  it("may be empty", () => {
    assertEquals(encodeMetadata([]).length, 0);
    assertEquals(decodeMetadata(new Uint8Array(0)).size, 0);
  });

  it("has names that compare without regard to case (ZMTP31-META-03)", () => {
    const decoded = decodeMetadata(encodeMetadata([["SOCKET-type", utf8("REP")]]));
    assertEquals(textOf(decoded.get("socket-type")!), "REP");
  });

  it("keeps properties of applications and unknown ones (ZMTP31-META-06, ZMTP31-META-07)", () => {
    const decoded = decodeMetadata(
      encodeMetadata([["X-Mine", utf8("1")], ["Resource", utf8("/a")]]),
    );
    assertEquals([...decoded.keys()], ["x-mine", "resource"]);
  });

  it("keeps the first of two values (ZMTP31-META-09)", () => {
    const decoded = decodeMetadata(encodeMetadata([["A", utf8("1")], ["a", utf8("2")]]));
    assertEquals(textOf(decoded.get("a")!), "1");
  });

  it("has values of their own memory", () => {
    const octets = encodeMetadata([["A", pattern(3)]]);
    const value = decodeMetadata(octets).get("a")!;
    assertNotStrictEquals(value.buffer, octets.buffer);
    octets.fill(0);
    assertEquals(toHex(value), toHex(pattern(3)));
  });

  it("has names of up to 255 characters (ZMTP31-META-01)", () => {
    assert(decodeMetadata(encodeMetadata([["n".repeat(255), utf8("")]])).has("n".repeat(255)));
  });

  const malformed: Readonly<Record<string, string>> = {
    "an empty name (ZMTP31-META-01)": "00 00000000",
    "a name that is cut off (ZMTP31-META-08)": "05 4142",
    "no value (ZMTP31-META-08)": "01 41",
    "a size that is cut off (ZMTP31-META-08)": "01 41 000000",
    "a value that is cut off (ZMTP31-META-08)": "01 41 00000002 31",
    "a value of 2^31 octets (ZMTP31-META-04)": "01 41 80000000 31",
    "a value of 2^32-1 octets (ZMTP31-META-04)": "01 41 ffffffff",
    "octets left over (ZMTP31-META-08)": "01 41 00000001 31 00",
    "a name with a space (ZMTP31-META-02)": "02 4120 00000000",
    "a name with a NUL (ZMTP31-META-02)": "02 4100 00000000",
    "a name outside ASCII (ZMTP31-META-02)": "02 41e9 00000000",
  };
  for (const [what, hex] of Object.entries(malformed)) {
    it(`is refused with ${what}`, () => {
      failure(() => decodeMetadata(expand(hex)), INVALID);
    });
  }
});
