// Sealed frames past the handshake, changed anywhere: what opens is what another library's ciphers open, whatever the cuts.

import { assertEquals } from "@std/assert";
import { toHex } from "../../_util/bytes.ts";
import { CurveReceiver } from "../../_util/curve_receiver.ts";
import { concat } from "../../_util/octets.ts";
import {
  FROM_CLIENT,
  openFrames,
  type Plain,
  sealFrames,
  sealText,
} from "../../core/models/curve_model.ts";
import { COMMAND, encodeFrame, LONG, MORE } from "../../core/models/frame_model.ts";
import { drawBody, drawCuts } from "../draws.ts";
import { mutate } from "../mutate.ts";
import { readPlainly } from "../reading.ts";
import type { Tape } from "../tape.ts";
import { checkProtocolError, type Target } from "../target.ts";

interface Input {
  readonly octets: Uint8Array;
  readonly cuts: readonly number[];
}

const KEY = new Uint8Array(32).fill(0x77);
const LAST = 2n;

/** Frames with nonces that follow each other, some with flags inside that nobody sends. */
function drawSealed(tape: Tape): Uint8Array {
  let nonce = LAST + 1n;
  return concat(...tape.list(8, () => {
    nonce += BigInt(tape.pick([0, 0, 0, 0, 1, 5, -1, -3]));
    if (nonce < 0n) nonce = 0n;
    if (tape.oneIn(12)) {
      const text = concat(Uint8Array.of(tape.octet()), drawBody(tape, 300));
      const flags = tape.pick([0, COMMAND, LONG, MORE]);
      return encodeFrame(flags, sealText(KEY, FROM_CLIENT, nonce++, text));
    }
    const plain: Plain = {
      flags: tape.oneIn(8) ? COMMAND : tape.oneIn(3) ? MORE : 0,
      body: drawBody(tape, tape.oneIn(8) ? undefined : 600),
    };
    return sealFrames(KEY, FROM_CLIENT, nonce++, [plain]);
  }));
}

const FAULTS: Readonly<Record<string, string>> = {
  flags: "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
  size: "EMSGSIZE",
  name: "ERR_ZMTP_UNEXPECTED_COMMAND",
  short: "ERR_ZMTP_MALFORMED_COMMAND_MESSAGE",
  nonce: "ERR_ZMTP_INVALID_SEQUENCE",
  tag: "ERR_ZMTP_CRYPTOGRAPHIC",
  inner: "ERR_ZMTP_MALFORMED_COMMAND_MESSAGE",
};

export const curveFrames: Target<Input> = {
  name: "curve-frames",
  draw: (tape) => ({
    octets: mutate(tape, drawSealed(tape), tape.pick([0, 0, 1, 2])),
    cuts: drawCuts(tape),
  }),
  check({ octets, cuts }) {
    const receiver = new CurveReceiver({ key: KEY, last: LAST });
    try {
      receiver.readPieces(octets, cuts);
      const { plain, fault } = openFrames(KEY, FROM_CLIENT, LAST, octets, -1);
      const expected = readPlainly(plain);
      const { messages, commands } = receiver;
      assertEquals(messages.map(namesOf), expected.messages.map(namesOf));
      assertEquals(namesOf(commands), namesOf(expected.commands.map(({ body }) => body)));
      const code = fault === undefined ? expected.fault : FAULTS[fault];
      // A fault in what was sealed comes before one in what follows it.
      assertEquals(receiver.fault?.code, expected.fault ?? code);
      if (receiver.fault !== undefined) checkProtocolError(receiver.fault);
    } finally {
      receiver.free();
    }
  },
};

function namesOf(frames: readonly Uint8Array[]): string[] {
  return frames.map(toHex);
}
