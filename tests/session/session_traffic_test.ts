// A session past its handshake: it answers PINGs, leaves other commands to the socket type, and
// ends with a malformed one.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Session } from "../../src/session/session.ts";
import { encodeCommand, encodeError } from "../../src/wire/command.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { concat, pattern } from "../_util/octets.ts";
import { ready } from "../_util/raw_zmtp.ts";
import { failure } from "../_util/rejection.ts";
import { LEGAL_PEERS, newSession, outputOf } from "../_util/session_pair.ts";
import { COMMANDS, expand, vector } from "../_util/vectors.ts";

const MALFORMED = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";

/** A session in traffic, whose own octets are out of the way. */
function inTraffic(type: SocketType = "ROUTER"): Session {
  const session = newSession(type);
  session.receive(concat(vector("GV-G-01"), ready(LEGAL_PEERS[type][0])));
  assertEquals(session.state, "traffic");
  session.takeOutput();
  return session;
}

describe("a session's traffic", () => {
  const answers: readonly (readonly [string, string])[] = [
    ["GV-C-14", "GV-C-15"],
    ["GV-C-16", "GV-C-17"],
  ];
  for (const [ping, pong] of answers) {
    it(`answers ${ping} with ${pong} (ZMTP31-HB-03)`, () => {
      const session = inTraffic();
      assertEquals(session.command(vector(ping).subarray(2)), undefined);
      assertEquals(toHex(outputOf(session)), toHex(vector(pong)));
    });
  }

  it("answers the longest context unchanged (GV-C-18, ZMTP31-HB-02, ZMTP31-HB-04)", () => {
    const session = inTraffic();
    session.command(vector("GV-C-18").subarray(2));
    assertEquals(toHex(outputOf(session)), toHex(encodeCommand("PONG", utf8("0123456789abcdef"))));
  });

  it("answers the PING of a 3.0 peer too (ZMTP30-HB-01)", () => {
    const session = newSession("ROUTER");
    session.receive(concat(vector("GV-G-02"), vector("GV-C-01")));
    session.takeOutput();
    session.command(vector("GV-C-14").subarray(2));
    assertEquals(toHex(outputOf(session)), toHex(vector("GV-C-15")));
  });

  it("answers with octets of its own: the PING may be overwritten", () => {
    const session = inTraffic();
    const body = vector("GV-C-14").slice(2);
    session.command(body);
    body.fill(0xee);
    assertEquals(toHex(outputOf(session)), toHex(vector("GV-C-15")));
  });

  it("refuses a PING or PONG whose context is above 16 octets (ZMTP31-HB-04)", () => {
    for (const size of [17, 18, 100, 249]) {
      const ping = encodeCommand("PING", pattern(2 + size)).subarray(2);
      failure(() => inTraffic().command(ping), MALFORMED);
      const pong = encodeCommand("PONG", pattern(size)).subarray(2);
      failure(() => inTraffic().command(pong), MALFORMED);
    }
  });

  it("takes a time to live in tenths of a second, up to 6553.5; 0 is none (ZMTP31-HB-02)", () => {
    for (const [hex, ms] of [["0001", 100], ["028f", 65_500], ["ffff", 6_553_500], ["0000", 0]]) {
      const session = inTraffic();
      session.command(encodeCommand("PING", expand(`${hex} 78`)).subarray(2));
      assertEquals(session.timeToLive, ms);
      assertEquals(toHex(outputOf(session)), toHex(vector("GV-C-15")));
    }
  });

  it("refuses a PING without its time to live (ZMTP31-HB-02)", () => {
    for (const size of [0, 1]) {
      const body = encodeCommand("PING", pattern(size)).subarray(2);
      failure(() => inTraffic().command(body), MALFORMED);
    }
  });

  for (const { id, meaning, octets, name, data } of COMMANDS) {
    if (name === "PING") continue;
    it(`leaves ${id}, ${meaning}, to the socket type (ZMTP31-CMD-05, ZMTP31-CMD-07, ZMTP31-HB-13)`, () => {
      const session = inTraffic("REP");
      const command = session.command(octets.subarray(octets[0] & 2 ? 9 : 2));
      assertEquals(command?.name, name);
      if (data !== undefined) assertEquals(toHex(command!.data), toHex(data));
      assertEquals([session.state, session.takeOutput()], ["traffic", []]);
    });
  }

  it("does nothing about unknown commands (ZMTP31-CMD-04)", () => {
    const session = inTraffic();
    const command = session.command(encodeCommand("WHATEVER", pattern(1_000)).subarray(9));
    assertEquals([command?.name, command?.data.length], ["WHATEVER", 1_000]);
    session.command(encodeError("x").subarray(2));
    assertEquals([session.state, session.takeOutput()], ["traffic", []]);
  });

  it("refuses a command without a name (ZMTP31-CMD-01)", () => {
    for (const hex of ["", "00", "05 50494e47", "01 31"]) {
      failure(() => inTraffic().command(expand(hex)), MALFORMED);
    }
  });

  it("is over after a malformed command", () => {
    const session = inTraffic();
    failure(() => session.command(expand("00")), MALFORMED);
    assertEquals([session.state, session.takeOutput()], ["failed", []]);
  });

  it("takes no octets of the handshake any more (CONN-02)", () => {
    const session = inTraffic();
    assertEquals(session.receive(vector("GV-C-01")), 0);
  });
});
