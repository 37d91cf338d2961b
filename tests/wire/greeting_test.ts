import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  decodeGreeting,
  encodeGreeting,
  GREETING_SIZE,
  isGreetingStart,
} from "../../src/wire/greeting.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { expand, GREETINGS, vector } from "../_util/vectors.ts";

describe("encodeGreeting()", () => {
  it("gives GV-G-01: 64 octets of 3.1 with NULL (ZMTP31-GREETING-01, -02, -04, -06, -16)", () => {
    const octets = encodeGreeting("NULL", false);
    assertEquals(octets.length, GREETING_SIZE);
    assertEquals(toHex(octets), toHex(vector("GV-G-01")));
  });

  it("gives GV-G-03 and GV-G-05: other mechanisms and roles (ZMTP31-GREETING-07, -09)", () => {
    assertEquals(toHex(encodeGreeting("PLAIN", true)), toHex(vector("GV-G-03")));
    assertEquals(toHex(encodeGreeting("CURVE", false)), toHex(vector("GV-G-05")));
  });
});

describe("decodeGreeting()", () => {
  for (const { id, meaning, octets, major, minor, mechanism, asServer } of GREETINGS) {
    it(`reads ${id}: ${meaning}`, () => {
      assertEquals(octets.length, GREETING_SIZE);
      assertEquals(decodeGreeting(octets), {
        major,
        minor,
        mechanism,
        role: asServer ? 1 : 0,
      });
    });
  }

  it("takes all 20 octets of the mechanism into account (ZMTP31-GREETING-07)", () => {
    const octets = vector("GV-G-01").slice();
    octets[31] = 0x58;
    assertEquals(decodeGreeting(octets).mechanism, "NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0X");
    octets.fill(0x41, 12, 32);
    assertEquals(decodeGreeting(octets).mechanism, "A".repeat(20));
  });

  it("tells the octet of the role as it is (ZMTP31-GREETING-09)", () => {
    const octets = vector("GV-G-01").slice();
    for (const octet of [0, 1, 2, 255]) {
      octets[32] = octet;
      assertEquals(decodeGreeting(octets).role, octet);
    }
  });
});

describe("isGreetingStart()", () => {
  for (const { id, octets } of GREETINGS) {
    it(`accepts every beginning of ${id} (CONN-01)`, () => {
      for (let size = 0; size <= octets.length; size++) assert(isGreetingStart(octets, size));
    });
  }

  it("does not look at the padding (ZMTP31-GREETING-03)", () => {
    const octets = vector("GV-G-01").slice();
    octets.fill(0xff, 1, 9);
    assert(isGreetingStart(octets, GREETING_SIZE));
  });

  it("looks at bit 0 only of the signature's end", () => {
    const octets = vector("GV-G-01").slice();
    for (const end of [0x01, 0x7f, 0xff]) {
      octets[9] = end;
      assert(isGreetingStart(octets, 10));
    }
    octets[9] = 0x7e;
    assertEquals(isGreetingStart(octets, 9), true);
    assertEquals(isGreetingStart(octets, 10), false);
  });

  const others: Readonly<Record<string, [Uint8Array, number]>> = {
    "an HTTP request": [utf8("GET / HTTP/1.1\r\n"), 1],
    "a TLS hello": [expand("16 03 01 02 00 01"), 1],
    "ZMTP 1.0 without an identity": [expand("01 00"), 1],
    "ZMTP 1.0 with an identity of 253 octets": [expand("fe 00 253*61"), 1],
    "ZMTP 1.0 with a long identity": [expand("ff 00000000000000ff 00 254*61"), 10],
    "ZMTP 2.0": [expand("ff 8*00 7f 01 05 00 00"), 11],
    "a version of 0": [expand("ff 8*00 7f 00 00"), 11],
    "a version of 2": [expand("ff 8*00 7f 02 00"), 11],
  };
  for (const [name, [octets, decided]] of Object.entries(others)) {
    it(`refuses ${name} after ${decided} octets (ZMTP31-VER-03)`, () => {
      for (let size = 0; size <= octets.length; size++) {
        assertEquals(isGreetingStart(octets, size), size < decided);
      }
    });
  }

  it("accepts higher versions (ZMTP31-VER-01)", () => {
    for (const version of ["03 00", "03 01", "03 ff", "04 09", "ff ff"]) {
      assert(isGreetingStart(expand(`ff 8*00 7f ${version}`), 12));
    }
  });
});
