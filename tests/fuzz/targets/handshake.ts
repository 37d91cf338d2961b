// One side of a handshake, whose peer says something else than it should: the verdict does not depend on how the octets are
// cut, and with CURVE nothing but the genuine words lead to traffic.

import { assertEquals } from "@std/assert";
import { toHex, utf8 } from "../../_util/bytes.ts";
import { mechanismOf, sessionOf, type Side, SIDES, talk } from "../../_util/mechanism_sessions.ts";
import { concat } from "../../_util/octets.ts";
import { encodeMetadata } from "../../../src/wire/metadata.ts";
import { command, ready } from "../../_util/raw_zmtp.ts";
import { drawCuts, pieces } from "../draws.ts";
import { maybeMutate } from "../mutate.ts";
import type { Tape } from "../tape.ts";
import { checkError, type Target } from "../target.ts";

interface Input {
  readonly side: Side;
  readonly octets: Uint8Array;
  readonly cuts: readonly number[];
}

const GREETING = 64;
/** The role of whoever talks to a side. */
const PEERS: Readonly<Record<Side, Side>> = {
  "NULL": "NULL",
  "NULL with a domain": "NULL with a domain",
  "PLAIN client": "PLAIN server",
  "PLAIN server": "PLAIN client",
  "CURVE client": "CURVE server",
  "CURVE server": "CURVE client",
};

/** What each side's peer says when all goes well. */
const genuine: Readonly<Record<Side, Uint8Array>> = Object.fromEntries(
  await Promise.all(SIDES.map(async (side) => {
    const [own, peer] = [sessionOf(side), sessionOf(PEERS[side])];
    const [, octets] = await talk(own, peer);
    for (const each of [own, peer]) each.end();
    return [side, octets];
  })),
);

/** What a peer cannot say of itself. */
const SPOOFED = ["User-Id", "peer-address", "USER-ID", "X-mine"];

const COMMANDS = ["READY", "ERROR", "HELLO", "WELCOME", "INITIATE", "MESSAGE", "PING", "SUBSCRIBE"];

function drawWords(tape: Tape, side: Side): Uint8Array {
  const octets = genuine[side];
  const start = octets.subarray(0, GREETING);
  switch (tape.below(6)) {
    case 0: {
      const words = tape.list(
        4,
        () => command(tape.pick(COMMANDS), tape.octets(tape.below(40))),
      );
      return concat(start, ...words);
    }
    case 1: {
      const id = new Uint8Array(tape.pick([0, 1, 255, 256])).fill(tape.octet());
      const spoof = encodeMetadata(tape.list(2, () => [tape.pick(SPOOFED), utf8("root")] as const));
      const type = tape.pick(["DEALER", "ROUTER", "REP", "PUB", ""]);
      const name = tape.pick(["READY", "INITIATE"]);
      return concat(
        start,
        // A PLAIN client says a name before that.
        name === "READY" ? utf8("") : command("HELLO", utf8("\x01a\x01b")),
        command(name, concat(ready(type, id).subarray(id.length > 200 ? 15 : 8), spoof)),
      );
    }
    case 2:
      return concat(start, maybeMutate(tape, octets.subarray(GREETING)));
    case 3:
      return maybeMutate(tape, octets);
    case 4: {
      const reason = tape.octets(tape.below(20));
      return concat(start, command("ERROR", concat(Uint8Array.of(tape.octet()), reason)));
    }
  }
  return octets;
}

interface Verdict {
  readonly state: string;
  readonly fault: string | undefined;
  readonly taken: number | undefined;
  readonly peer: readonly string[];
  readonly said: string;
}

async function verdictOf({ side, octets, cuts }: Input): Promise<Verdict> {
  const session = sessionOf(side);
  const said = [...session.takeOutput()];
  let fault: string | undefined;
  let taken = 0;
  for (const piece of pieces(octets, cuts)) {
    let at = 0;
    while (at < piece.length && ["greeting", "handshake"].includes(session.state)) {
      try {
        at += session.receive(piece.subarray(at));
        await session.waiting;
      } catch (error) {
        fault = checkError(error).code;
      }
      said.push(...session.takeOutput());
    }
    taken += at;
    if (!["greeting", "handshake"].includes(session.state)) break;
  }
  const { peer, state } = session;
  session.end();
  return {
    state,
    fault,
    taken: state === "traffic" ? taken : undefined,
    peer: peer === undefined ? [] : [
      peer.protocol,
      peer.socketType,
      toHex(peer.routingId),
      ...[...peer.metadata].map(([name, value]) => `${name}=${toHex(value)}`),
    ],
    said: toHex(concat(...said)),
  };
}

export const handshake: Target<Input> = {
  name: "handshake",
  draw(tape) {
    const side = tape.pick(SIDES);
    const tail = tape.oneIn(2) ? utf8("\0\x03abc\x01\x00") : new Uint8Array(0);
    return { side, octets: concat(drawWords(tape, side), tail), cuts: drawCuts(tape) };
  },
  async check(input) {
    const whole = await verdictOf({ ...input, cuts: [input.octets.length] });
    const cut = await verdictOf(input);
    const same = whole.state !== "failed" || !cut.said.startsWith(whole.said)
      ? cut
      : { ...cut, said: whole.said };
    assertEquals(same, whole);
    const [, , id = "", ...properties] = whole.peer;
    assertEquals(id.length <= 2 * 255, true, "a routing id is too long");
    assertEquals(properties.find((each) => /^(?:user-id|peer-address)=/.test(each)), undefined);
    if (mechanismOf(input.side) !== "CURVE" || whole.state !== "traffic") return;
    const honest = await verdictOf({
      ...input,
      octets: genuine[input.side],
      cuts: [100_000],
    });
    // The version in the greeting is the one thing that nobody signs.
    assertEquals(whole.peer.slice(1), honest.peer.slice(1));
  },
};
