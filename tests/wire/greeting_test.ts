import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeGreeting, encodeGreeting, GREETING_SIZE } from "../../src/wire/greeting.ts";
import { toHex } from "../_util/bytes.ts";
import { GREETINGS, vector } from "../_util/vectors.ts";

/** A vector as it is when it says by its padding that no routing id follows. */
function detecting(id: string): Uint8Array {
  const octets = vector(id).slice();
  octets[8] = 1;
  return octets;
}

describe("encodeGreeting()", () => {
  it("gives GV-G-06 and GV-G-07: 64 octets of 3.1 with NULL (ZMTP31-GREETING-01, ZMTP31-GREETING-02, ZMTP31-GREETING-05, ZMTP31-GREETING-06, ZMTP31-GREETING-16)", () => {
    for (const [id, routingIdSize] of [["GV-G-06", 0], ["GV-G-07", 3]] as const) {
      const octets = encodeGreeting("NULL", false, routingIdSize);
      assertEquals(octets.length, GREETING_SIZE);
      assertEquals(toHex(octets), toHex(vector(id)));
    }
  });

  it("gives GV-G-03 and GV-G-05, but for the padding: other mechanisms and roles (ZMTP31-GREETING-07, ZMTP31-GREETING-09)", () => {
    assertEquals(toHex(encodeGreeting("PLAIN", true)), toHex(detecting("GV-G-03")));
    assertEquals(toHex(encodeGreeting("CURVE", false)), toHex(detecting("GV-G-05")));
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
