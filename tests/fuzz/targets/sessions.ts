// Two sessions in memory with a wire that changes their words: over an honest one they agree, over any other each ends in a
// state of its own with an error that has a name.

import { assertEquals } from "@std/assert";
import { defaultOptions } from "../../../src/option_values.ts";
import { Session } from "../../../src/session/session.ts";
import type { SocketType } from "../../../src/wire/socket_type.ts";
import { announcesIdentity } from "../../../src/wire/socket_type.ts";
import { textOf, utf8 } from "../../_util/bytes.ts";
import { concat } from "../../_util/octets.ts";
import { LEGAL_PEERS, OWN_TYPES } from "../../_util/session_pair.ts";
import { drawCuts, pieces } from "../draws.ts";
import { type MechanismName, MECHANISMS, SecureHost } from "../stands.ts";
import type { Tape } from "../tape.ts";
import { checkError, type Target } from "../target.ts";
import { drawEdits, type Edit, EditedWire } from "../wire.ts";

interface Input {
  readonly types: readonly SocketType[];
  readonly mechanisms: readonly MechanismName[];
  /** Which of the sides are servers. */
  readonly servers: readonly boolean[];
  readonly ids: readonly string[];
  readonly edits: readonly (readonly Edit[])[];
  readonly cuts: readonly number[];
}

/** More rounds than any handshake needs. */
const ROUNDS = 200;

function drawTypes(tape: Tape): SocketType[] {
  const type = tape.pick(OWN_TYPES);
  return [type, tape.oneIn(6) ? tape.pick(OWN_TYPES) : tape.pick(LEGAL_PEERS[type]) as SocketType];
}

function sessionOf(input: Input, i: number): Session {
  const options = { ...defaultOptions(), routingId: input.ids[i] };
  const host = new SecureHost(input.types[i], options, input.mechanisms[i], input.servers[i]);
  const id = announcesIdentity(host.type) ? utf8(input.ids[i]) : utf8("");
  return new Session(host.type, host.secure()(""), id);
}

const shakesHands = ({ state }: Session): boolean => state === "greeting" || state === "handshake";

export const sessions: Target<Input> = {
  name: "sessions",
  draw(tape) {
    const mechanism = tape.pick(MECHANISMS);
    const mixed = tape.oneIn(8);
    const server = tape.oneIn(2);
    return {
      types: drawTypes(tape),
      mechanisms: [mechanism, mixed ? tape.pick(MECHANISMS) : mechanism],
      servers: [server, mixed ? tape.oneIn(2) : !server],
      ids: [0, 1].map(() => tape.pick(["", "a", "b".repeat(255), "\xff"])),
      edits: [0, 1].map(() => tape.oneIn(2) ? drawEdits(tape, 500) : []),
      cuts: drawCuts(tape),
    };
  },
  async check(input) {
    const both = [0, 1].map((i) => sessionOf(input, i));
    const wires = input.edits.map((edits) => new EditedWire(edits));
    const faults: string[] = ["", ""];
    let quiet = 0;
    for (let i = 0, round = 0; quiet < 2; i = 1 - i) {
      if (++round > ROUNDS) throw new Error("the handshake does not end");
      const octets = wires[i].pass(concat(...both[i].takeOutput()));
      quiet = octets.length === 0 ? quiet + 1 : 0;
      const other = both[1 - i];
      for (const piece of pieces(octets, input.cuts)) {
        for (let at = 0, count = 1; at < piece.length && count > 0 && shakesHands(other);) {
          try {
            count = other.receive(piece.subarray(at));
            at += count;
            await other.waiting;
          } catch (error) {
            faults[1 - i] ||= checkError(error).code;
          }
        }
      }
    }
    for (const [i, session] of both.entries()) {
      assertEquals(session.state === "failed", faults[i] !== "");
      const { peer, state } = session;
      assertEquals(peer !== undefined, state === "traffic");
      if (peer !== undefined && !wires[1 - i].honest) checkForged(input, i, session);
    }
    if (wires.every(({ honest }) => honest)) checkHonest(input, both);
    for (const session of both) session.end();
  },
};

/** Whatever the wire did, what CURVE vouches for is true. */
function checkForged({ mechanisms, types, ids }: Input, i: number, { peer }: Session): void {
  if (mechanisms[i] !== "CURVE") return;
  const id = announcesIdentity(types[1 - i]) ? ids[1 - i] : "";
  assertEquals([peer!.socketType, textOf(peer!.routingId)], [types[1 - i], id]);
}

function checkHonest({ types, mechanisms, servers, ids }: Input, both: Session[]): void {
  const legal = LEGAL_PEERS[types[0]].includes(types[1]) && mechanisms[0] === mechanisms[1] &&
    (mechanisms[0] === "NULL" || servers[0] !== servers[1]);
  if (!legal) {
    assertEquals(both.some(({ state }) => state === "failed" || state === "handshake"), true);
    return;
  }
  for (const [i, { state, peer }] of both.entries()) {
    const id = announcesIdentity(types[1 - i]) ? ids[1 - i] : "";
    assertEquals(
      [state, peer?.socketType, textOf(peer!.routingId), peer?.protocol],
      ["traffic", types[1 - i], id, "3.1"],
    );
  }
}
