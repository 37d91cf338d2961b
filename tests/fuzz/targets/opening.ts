// The first octets of a peer, of any version of ZMTP or of none: the verdict, and all that is said to it, are those of a plain
// reading of the whole, however the octets are cut.

import { assertEquals } from "@std/assert";
import type { Session } from "../../../src/session/session.ts";
import { fromHex, toHex, utf8 } from "../../_util/bytes.ts";
import { concat } from "../../_util/octets.ts";
import { mechanismOf, sessionOf, type Side, SIDES } from "../../_util/mechanism_sessions.ts";
import { greeting } from "../../_util/raw_zmtp.ts";
import { drawCuts, pieces } from "../draws.ts";
import { maybeMutate } from "../mutate.ts";
import type { Tape } from "../tape.ts";
import { checkProtocolError, type Target } from "../target.ts";

interface Input {
  readonly side: Side;
  readonly octets: Uint8Array;
  readonly cuts: readonly number[];
}

const GREETING = 64;
const UNSPECIFIED = "ERR_ZMTP_UNSPECIFIED";
const MISMATCH = "ERR_ZMTP_MECHANISM_MISMATCH";
const METADATA = "ERR_ZMTP_INVALID_METADATA";
/** What other protocols begin with. */
const OTHERS = [
  "GET / HTTP/1.1\r\n",
  "SSH-2.0-x\r\n",
  "\x16\x03\x01\x02\0",
  "\0\0\0\x0c",
  "*1\r\n",
];
const SIGNATURE = fromHex("ff00000000000000017f");

function drawOpening(tape: Tape): Uint8Array {
  const id = tape.octets(tape.below(9));
  switch (tape.below(7)) {
    case 0:
      return greeting(tape.pick(["NULL", "PLAIN", "CURVE", "GSSAPI", "", "NULLX"]));
    case 1: {
      const octets = greeting(tape.pick(["NULL", "PLAIN", "CURVE"]));
      octets[10] = tape.pick([3, 4, 0, 1, 2, 255]);
      octets[11] = tape.octet();
      octets[32] = tape.pick([0, 1, 2, 255]);
      octets.set(tape.octets(8), 1);
      return octets;
    }
    case 2:
      return concat(SIGNATURE, Uint8Array.of(tape.between(0, 2), tape.octet(), 0, id.length), id);
    case 3:
      return concat(Uint8Array.of(1 + id.length, tape.pick([0, 1, 0x7f, 2])), id);
    case 4:
      return concat(fromHex("ff00000000000000"), Uint8Array.of(1 + id.length, 0), id);
    case 5:
      return utf8(tape.pick(OTHERS));
  }
  return tape.octets(tape.below(80));
}

/** What becomes of a session, and what it has said. */
interface Verdict {
  readonly state: string;
  readonly fault?: string | undefined;
  readonly protocol?: string | undefined;
  readonly peerId?: string | undefined;
  /** How many octets belong to the opening, once it is over. */
  readonly taken: number | undefined;
  readonly said: string;
}

const TYPES = "PAIR PUB SUB REQ REP DEALER ROUTER PULL PUSH XPUB XSUB".split(" ");
const LEGAL: Readonly<Record<string, readonly string[]>> = {
  DEALER: ["REP", "DEALER", "ROUTER"],
  ROUTER: ["REQ", "DEALER", "ROUTER"],
};
/** The octets of these types in ZMTP 2.0. */
const TYPE_OCTET: Readonly<Record<string, string>> = { DEALER: "05", ROUTER: "06" };

/** Reads all octets at once. */
function plainly(octets: Uint8Array, side: Side, type: string, own: string, more: string): Verdict {
  const demanding = side !== "NULL";
  const size = octets.length;
  const signature = toHex(SIGNATURE);
  const pending = (said: string): Verdict => ({ state: "greeting", taken: undefined, said });
  const refused = (fault: string, said: string): Verdict => ({
    state: "failed",
    fault,
    taken: undefined,
    said,
  });
  const older = (protocol: string, idAt: number, end: number, said: string): Verdict => ({
    state: "traffic",
    protocol,
    peerId: toHex(octets.slice(idAt, end)),
    taken: end,
    said,
  });
  if (size === 0) return pending(signature);
  if (octets[0] !== 0xff) {
    if (octets[0] === 0) return refused(UNSPECIFIED, signature);
    if (size < 2) return pending(signature);
    if (![0, 1, 0x7f].includes(octets[1])) return refused(UNSPECIFIED, signature);
    if (demanding) return refused(MISMATCH, signature);
    const end = 1 + octets[0];
    return size < end ? pending(signature) : older("1.0", 2, end, signature);
  }
  if (size < 10) return pending(signature);
  if ((octets[9] & 1) === 0) {
    const length = BigInt(`0x${toHex(octets.slice(1, 9))}`);
    if (length === 0n || length > 256n) return refused(UNSPECIFIED, signature);
    if (demanding) return refused(MISMATCH, signature);
    const end = 9 + Number(length);
    return size < end ? pending(signature) : older("1.0", 10, end, signature);
  }
  const version = `${signature}03`;
  if (size < 11) return pending(version);
  if (octets[10] === 0) return refused(UNSPECIFIED, version);
  if (octets[10] < 3) {
    if (demanding) return refused(MISMATCH, version);
    const said = `${version}${TYPE_OCTET[type]}0000`;
    if (size < 12) return pending(said);
    if (octets[11] > 10) return refused(UNSPECIFIED, said);
    if (size < 14) return pending(said);
    if (octets[12] !== 0) return refused(UNSPECIFIED, said);
    const end = 14 + octets[13];
    if (size < end) return pending(said);
    if (!LEGAL[type].includes(TYPES[octets[11]])) return refused(METADATA, said);
    return older("2.0", 14, end, said);
  }
  const all = own + (demanding ? "" : more);
  if (size < GREETING) return pending(all);
  const name = String.fromCharCode(...octets.slice(12, 32)).replace(/\0+$/, "");
  if (name !== mechanismOf(side)) return refused(MISMATCH, all);
  const role = octets[32];
  const isServer = side.endsWith("server");
  if (name !== "NULL" && (role > 1 || (role === 1 && isServer))) return refused(UNSPECIFIED, all);
  return { state: "handshake", taken: GREETING, said: own + more };
}

/** What a session says to a peer of ZMTP 3: its greeting, and what follows at once. */
const words = new Map<Side, readonly [string, string]>();

async function wordsOf(side: Side): Promise<readonly [string, string]> {
  const known = words.get(side);
  if (known !== undefined) return known;
  const session = sessionOf(side);
  session.receive(greeting(mechanismOf(side)));
  await session.waiting;
  const said = toHex(concat(...session.takeOutput()));
  session.end();
  const both = [said.slice(0, 2 * GREETING), said.slice(2 * GREETING)] as const;
  words.set(side, both);
  return both;
}

async function actually(session: Session, input: Input): Promise<Verdict> {
  const said = [...session.takeOutput()];
  let fault: string | undefined;
  let taken = 0;
  for (const piece of pieces(input.octets, input.cuts)) {
    try {
      taken += session.receive(piece);
    } catch (error) {
      fault = checkProtocolError(error).code;
    }
    await session.waiting;
    said.push(...session.takeOutput());
    if (session.state !== "greeting") break;
  }
  const over = session.state === "traffic" || session.state === "handshake";
  return {
    state: session.state,
    taken: over ? taken : undefined,
    said: toHex(concat(...said)),
    ...(fault && { fault }),
    ...(session.peer && {
      protocol: session.peer.protocol,
      peerId: toHex(session.peer.routingId),
    }),
  };
}

export const opening: Target<Input> = {
  name: "opening",
  draw: (tape) => ({
    side: tape.pick(SIDES),
    octets: maybeMutate(tape, drawOpening(tape)).subarray(0, 300),
    cuts: drawCuts(tape),
  }),
  async check(input) {
    const { side, octets } = input;
    const session = sessionOf(side);
    const type = side.endsWith("client") ? "DEALER" : "ROUTER";
    const [own, more] = await wordsOf(side);
    const expected = plainly(octets, side, type, own, more);
    // What follows the opening is another target's.
    const verdict = await actually(session, {
      ...input,
      octets: octets.subarray(0, expected.taken),
    });
    session.end();
    // What it would have said before it broke off, in parts or in one.
    const said = verdict.state === "failed" && expected.said.startsWith(verdict.said);
    assertEquals(verdict, said ? { ...expected, said: verdict.said } : expected);
  },
};
