import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  chooseProtocol,
  hasMechanism,
  mechanismIn,
  offersOf,
} from "../../../src/wire/websocket/subprotocol.ts";

const MECHANISMS = ["NULL", "PLAIN", "CURVE"] as const;

describe("offersOf()", () => {
  it("offers what libzmq offers (ZWS2-HS-02, ZWS2-HS-05, ZWS2-HS-06)", () => {
    assertEquals(offersOf("NULL"), ["ZWS2.0/NULL", "ZWS2.0"]);
    assertEquals(offersOf("PLAIN"), ["ZWS2.0/PLAIN"]);
    assertEquals(offersOf("CURVE"), ["ZWS2.0/CURVE"]);
  });

  it("never offers BEARER, which nobody has specified (ZWS2-MECH-03)", () => {
    for (const mechanism of MECHANISMS) {
      for (const page of [false, true]) {
        assertEquals(offersOf(mechanism, "/?type=SUB", page).join().includes("BEARER"), false);
      }
    }
  });

  it("offers ZWS 1.0 last where the endpoint names a type, and no mechanism forbids it (ZWS1-01)", () => {
    assertEquals(offersOf("NULL", "/?type=DEALER"), ["ZWS2.0/NULL", "ZWS2.0", "ZWS1.0"]);
    assertEquals(offersOf("NULL", "/a?b=c&type=SUB"), ["ZWS2.0/NULL", "ZWS2.0", "ZWS1.0"]);
    assertEquals(offersOf("CURVE", "/?type=DEALER"), ["ZWS2.0/CURVE"]);
    for (const path of ["/", "/type=SUB", "/?type=", "/?type=sub", "/?type=SERVER", "/?TYPE=SUB"]) {
      assertEquals(offersOf("NULL", path), ["ZWS2.0/NULL", "ZWS2.0"], path);
    }
  });

  it("has names without a slash for pages, whose WebSocket takes no other", () => {
    assertEquals(offersOf("NULL", "/", true), ["ZWS2.0-NULL", "ZWS2.0"]);
    assertEquals(offersOf("CURVE", "/", true), ["ZWS2.0-CURVE"]);
    for (const mechanism of MECHANISMS) {
      for (const offer of offersOf(mechanism, "/?type=SUB", true)) {
        assertEquals(/^[!#$%&'*+\-.^_`|~\w]+$/.test(offer), true, offer);
      }
    }
  });
});

describe("chooseProtocol()", () => {
  it("takes the first that this side speaks (ZWS2-HS-04, ZWS2-HS-06)", () => {
    for (
      const [offered, mechanism, chosen] of [
        [["ZWS2.0/NULL", "ZWS2.0"], "NULL", "ZWS2.0/NULL"],
        [["ZWS2.0", "ZWS2.0/NULL"], "NULL", "ZWS2.0"],
        [["chat", "ZWS2.0/CURVE", "ZWS2.0-NULL"], "NULL", "ZWS2.0-NULL"],
        [["ZWS2.0/PLAIN", "ZWS2.0/CURVE"], "CURVE", "ZWS2.0/CURVE"],
        [["ZWS2.0-CURVE"], "CURVE", "ZWS2.0-CURVE"],
        [["ZWS2.0/NULL", "ZWS2.0", "ZWS2.0/PLAIN"], "PLAIN", "ZWS2.0/PLAIN"],
      ] as const
    ) assertEquals(chooseProtocol(offered, mechanism, "/"), chosen);
  });

  it("takes nothing else: no other mechanism, none at all where one is asked for (ZWS2-HS-04)", () => {
    for (
      const [offered, mechanism] of [
        [[], "NULL"],
        [["ZWS2.0/PLAIN"], "NULL"],
        [["ZWS2.0/NULL", "ZWS2.0", "ZWS1.0"], "CURVE"],
        [["ZWS2.0/NULL", "ZWS2.0", "ZWS1.0"], "PLAIN"],
        [["ZWS2.0/BEARER", "zws2.0", "ZWS2.0/null", "ZWS2.1", "ZWS2.0/", "ZWS2.0/NULL "], "NULL"],
      ] as const
    ) assertEquals(chooseProtocol(offered, mechanism, "/?type=DEALER"), undefined);
  });

  it("takes ZWS 1.0 from a client that names a type that goes with ours (ZWS1-01, ZWS2-TYPE-01)", () => {
    for (
      const [path, type, chosen] of [
        ["/?type=DEALER", "ROUTER", true],
        ["/chat?x=1&type=SUB", "XPUB", true],
        ["/?type=DEALER", undefined, true],
        ["/?type=SUB", "ROUTER", false],
        ["/?type=PEER", undefined, false],
        ["/?type=STREAM", undefined, false],
        ["/?type=toString", undefined, false],
        ["/?type=DEALER&type=DEALER", "ROUTER", false],
        ["/?type=dealer", "ROUTER", false],
        ["/", "ROUTER", false],
      ] as const
    ) {
      assertEquals(
        chooseProtocol(["ZWS1.0"], "NULL", path, type),
        chosen ? "ZWS1.0" : undefined,
        path,
      );
    }
  });
});

describe("mechanismIn() and hasMechanism()", () => {
  it("read the names that offersOf() gives", () => {
    for (const mechanism of MECHANISMS) {
      for (const page of [false, true]) {
        const [first, plain] = offersOf(mechanism, "/", page);
        assertEquals([mechanismIn(first), hasMechanism(first)], [mechanism, true]);
        if (plain !== undefined) assertEquals(mechanismIn(plain), undefined);
      }
    }
    for (const name of ["ZWS2.0", "ZWS1.0", "", "ZWS2.0/BEARER", "ZWS2.0/NULLS", "xZWS2.0/NULL"]) {
      assertEquals([mechanismIn(name), hasMechanism(name)], [undefined, false]);
    }
  });
});
