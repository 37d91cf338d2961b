import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { NO_CODE } from "../../../src/close_codes.ts";
import { decodeClose, encodeClose } from "../../../src/wire/websocket/close.ts";
import { WebSocketFault } from "../../../src/wire/websocket/fault.ts";
import { fromHex, toHex, utf8 } from "../../_util/bytes.ts";

function faultOf(payload: Uint8Array): WebSocketFault {
  try {
    decodeClose(payload);
  } catch (error) {
    assert(error instanceof WebSocketFault, String(error));
    return error;
  }
  throw new Error(`${toHex(payload)} was taken`);
}

function withCode(code: number, reason: Uint8Array = utf8("")): Uint8Array {
  return Uint8Array.of(code >> 8, code, ...reason);
}

describe("decodeClose()", () => {
  it("reads a code, a code with a reason, and neither (Autobahn 7.1, 7.3)", () => {
    assertEquals(decodeClose(utf8("")), { code: NO_CODE, reason: "" });
    assertEquals(decodeClose(fromHex("03e8")), { code: 1000, reason: "" });
    assertEquals(decodeClose(withCode(1000, utf8("Hello World!"))), {
      code: 1000,
      reason: "Hello World!",
    });
    const longest = "*".repeat(123);
    assertEquals(decodeClose(withCode(1000, utf8(longest))).reason, longest);
    assertEquals(decodeClose(withCode(1000, fromHex("efbbbf41"))).reason, "\ufeffA");
  });

  it("refuses half a code with 1002 (Autobahn 7.3.2)", () => {
    const { closeCode, error } = faultOf(fromHex("03"));
    assertEquals([closeCode, error.code], [1002, "ERR_WS_CLOSE"]);
    assertStringIncludes(error.message, "half a code");
  });

  it("takes the codes that may be sent (Autobahn 7.7)", () => {
    for (
      const code of [
        ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014],
        ...[3000, 3999, 4000, 4999],
      ]
    ) assertEquals(decodeClose(withCode(code)).code, code);
  });

  it("refuses the others with 1002 (Autobahn 7.9, 7.13)", () => {
    for (
      const code of [
        ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999],
        ...[5000, 65535],
      ]
    ) {
      const { closeCode, error } = faultOf(withCode(code));
      assertEquals(closeCode, 1002);
      assertStringIncludes(error.message, String(code));
    }
  });

  it("refuses a reason that is not UTF-8 with 1007 (Autobahn 7.5.1)", () => {
    for (
      const hex of ["cebae1bdb9cf83cebcceb5eda080656469746564", "ff", "c0af", "e282", "f4908080"]
    ) {
      assertEquals(faultOf(withCode(1000, fromHex(hex))).closeCode, 1007, hex);
    }
  });
});

describe("encodeClose()", () => {
  it("writes what decodeClose() reads", () => {
    for (
      const [code, reason] of [[1000, ""], [1002, "bad"], [
        4999,
        "\u03ba\u1f79\u03c3\u{1f600}",
      ]] as const
    ) {
      assertEquals(decodeClose(encodeClose(code, reason)), { code, reason });
    }
  });

  it("writes nothing for no code", () => {
    assertEquals(encodeClose(NO_CODE, "x"), utf8(""));
  });

  it("cuts a reason to 123 octets, between characters", () => {
    for (const char of ["a", "\u00e9", "\u20ac", "\u{1f600}"]) {
      const size = utf8(char).length;
      const payload = encodeClose(1000, char.repeat(200));
      assertEquals(payload.length, 2 + Math.floor(123 / size) * size);
      assertEquals(decodeClose(payload).reason, char.repeat(Math.floor(123 / size)));
    }
  });
});
