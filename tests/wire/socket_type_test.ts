import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { announcesIdentity, peersOf, SOCKET_TYPE_ID } from "../../src/wire/socket_type.ts";
import { LEGAL_PEERS, OWN_TYPES } from "../_util/session_pair.ts";

describe("peersOf()", () => {
  for (const type of OWN_TYPES) {
    it(`of ${type} is what the RFC allows (ZMTP31-SOCKTYPE-02)`, () => {
      assertEquals([...peersOf(type)].sort(), [...LEGAL_PEERS[type]].sort());
    });
  }

  it("is symmetric", () => {
    for (const type of OWN_TYPES) {
      for (const peer of OWN_TYPES) {
        assertEquals(peersOf(type).includes(peer), peersOf(peer).includes(type));
      }
    }
  });
});

describe("announcesIdentity()", () => {
  it("holds for REQ, DEALER and ROUTER alone (ZMTP31-ID-01)", () => {
    assertEquals(OWN_TYPES.filter(announcesIdentity).sort(), ["DEALER", "REQ", "ROUTER"]);
  });
});

describe("SOCKET_TYPE_ID", () => {
  it("has libzmq's numbers", () => {
    assertEquals(SOCKET_TYPE_ID, {
      PAIR: 0,
      PUB: 1,
      SUB: 2,
      REQ: 3,
      REP: 4,
      DEALER: 5,
      ROUTER: 6,
      PULL: 7,
      PUSH: 8,
      XPUB: 9,
      XSUB: 10,
      STREAM: 11,
    });
  });
});
