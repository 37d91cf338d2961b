// The question that every legal pair of socket types is asked of a mechanism, with libzmq as the peer: whoever is the
// server, and whoever binds, all messages arrive.

import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import type { PeerOptions } from "./peer.ts";
import { type MechanismName, ROLES, zapRule } from "./security_options.ts";
import { type End, openStage, type SecureType, type Stage } from "./security_stage.ts";
import { SHORT_ONES, SOME_SIZES, TYPE_PAIRS, type TypePair } from "./security_traffic.ts";

type Role = "server" | "client";

/** Asks it of all pairs. */
export function testSecurePairs(mechanism: MechanismName): void {
  for (const pair of TYPE_PAIRS) {
    describe(`${mechanism}: ${pair.left} with ${pair.right}`, () => testPair(mechanism, pair));
  }
}

function testPair(mechanism: MechanismName, pair: TypePair): void {
  let ours: Stage;
  let theirs: Stage;
  const ends: End[] = [];
  before(async () => {
    ours = openStage("wasmq");
    theirs = openStage("libzmq");
    for (const stage of [ours, theirs]) await stage.handleZap(zapRule());
  });
  after(async () => {
    await Promise.all([ours.stop(), theirs.stop()]);
  });
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end.close()));
  });

  const open = async (
    stage: Stage,
    type: SecureType,
    role: Role,
    options: PeerOptions = {},
  ): Promise<End> => {
    const end = await stage.open(type, { ...options, ...ROLES[mechanism][role] });
    ends.push(end);
    return end;
  };
  const sides = pair.left === pair.right ? (["left"] as const) : (["left", "right"] as const);

  for (const side of sides) {
    for (const role of ["server", "client"] as const) {
      for (const binds of ["we", "they"] as const) {
        it(`we are the ${pair[side]} and the ${role}, ${binds} bind`, async () => {
          const other: Role = role === "server" ? "client" : "server";
          const [leftStage, rightStage] = side === "left" ? [ours, theirs] : [theirs, ours];
          const [leftRole, rightRole] = side === "left" ? [role, other] : [other, role];
          const left = await open(leftStage, pair.left, leftRole, pair.leftOptions);
          const right = await open(rightStage, pair.right, rightRole, pair.rightOptions);
          const leftBinds = (side === "left") === (binds === "we");
          const [binder, connecter] = leftBinds ? [left, right] : [right, left];
          await connecter.connect(await binder.bind());
          await pair.run(left, right, SOME_SIZES);
          await pair.run(left, right, SHORT_ONES);
        });
      }
    }
  }
}
