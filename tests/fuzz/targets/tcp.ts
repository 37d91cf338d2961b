// Raw octets at a bound socket of each type over real connections, with a healthy peer served at the same time.

import { codeOf } from "../../../src/errors.ts";
import { pause } from "../../_util/deadline.ts";
import { concat } from "../../_util/octets.ts";
import { dial, type RawConnection } from "../../_util/raw_peer.ts";
import { greeting, ready } from "../../_util/raw_zmtp.ts";
import { LEGAL_PEERS } from "../../_util/session_pair.ts";
import type { SocketType } from "../../../src/wire/socket_type.ts";
import { drawStream, pieces } from "../draws.ts";
import { maybeMutate } from "../mutate.ts";
import type { Tape } from "../tape.ts";
import type { Target } from "../target.ts";
import { KINDS, TcpStage } from "../tcp_stage.ts";

/** What one stranger does. */
interface Stranger {
  readonly octets: Uint8Array;
  readonly cuts: readonly number[];
  /** It closes at once, in peace, or waits to be closed. */
  readonly leaves: "resets" | "ends" | "waits";
}

interface Input {
  readonly type: string;
  readonly secure: boolean;
  readonly strangers: readonly Stranger[];
}

const TYPES = Object.keys(KINDS);
const WAIT_MS = 20;
/** After so many cases a stage gives way to a new one. */
const CASES = 200;

function drawOctets(tape: Tape, type: string): Uint8Array {
  const peers = LEGAL_PEERS[type as SocketType] ?? [];
  const opening = peers.length === 0 || tape.oneIn(4)
    ? tape.octets(tape.below(20))
    : concat(greeting(tape.oneIn(8) ? "CURVE" : "NULL"), ready(tape.pick(peers), "x"));
  const octets = concat(opening, drawStream(tape).subarray(0, 200_000));
  return tape.oneIn(2) ? maybeMutate(tape, octets) : octets;
}

const stages = new Map<string, { readonly stage: TcpStage; cases: number }>();

async function stageOf({ type, secure }: Input): Promise<TcpStage> {
  const name = `${type} ${secure}`;
  const known = stages.get(name);
  if (known !== undefined && ++known.cases < CASES) return known.stage;
  await known?.stage.close();
  const stage = await TcpStage.open(type, secure);
  stages.set(name, { stage, cases: 0 });
  return stage;
}

async function attack(endpoint: string, { octets, cuts, leaves }: Stranger): Promise<void> {
  let connection: RawConnection;
  try {
    connection = await dial(endpoint);
  } catch (error) {
    if (codeOf(error) === "ECONNRESET") return;
    throw error;
  }
  let sent = 0;
  for (const piece of pieces(octets, cuts)) {
    if (connection.isClosed || sent++ > 50) break;
    await Promise.race([connection.flush(piece), connection.closed, pause(WAIT_MS)]);
  }
  if (leaves === "waits") await Promise.race([connection.closed, pause(WAIT_MS)]);
  if (leaves === "ends") {
    connection.end();
    await Promise.race([connection.closed, pause(WAIT_MS)]);
  }
  connection.destroy();
}

export const tcp: Target<Input> = {
  name: "tcp",
  draw(tape) {
    const type = tape.pick(TYPES);
    return {
      type,
      secure: type !== "STREAM" && tape.oneIn(4),
      strangers: Array.from({ length: tape.between(1, 3) }, () => ({
        octets: drawOctets(tape, type),
        cuts: [tape.pick([100_000, 3_000, 64, 7]), tape.between(1, 5_000)],
        leaves: tape.pick(["resets", "ends", "waits"]),
      })),
    };
  },
  async check(input) {
    const stage = await stageOf(input);
    try {
      const endpoint = stage.socket.lastEndpoint!;
      await Promise.all([
        ...input.strangers.map((stranger) => attack(endpoint, stranger)),
        stage.exchange(),
      ]);
      await stage.exchange();
      await stage.alone();
    } catch (error) {
      stages.delete(`${input.type} ${input.secure}`);
      await stage.close().catch(() => {}); // the first error counts
      throw error;
    }
  },
  async end() {
    for (const { stage } of stages.values()) await stage.close();
    stages.clear();
  },
};
