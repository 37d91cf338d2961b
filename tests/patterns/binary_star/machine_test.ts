// The rules of a Binary Star pair: each transition, and both servers together in any order of events.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  type BinaryStarInput,
  type BinaryStarOutcome,
  type BinaryStarRole,
  type BinaryStarState,
  binaryStarTransition,
} from "../../../src/patterns/binary_star/mod.ts";

const STATES: readonly BinaryStarState[] = ["primary", "backup", "active", "passive"];
const INPUTS: readonly BinaryStarInput[] = [
  "peer-primary",
  "peer-backup",
  "peer-active",
  "peer-passive",
  "client-request",
];

/** State, input, role, silent, wins: state, accepted, conflict; "*" where it does not matter. */
const TABLE: readonly string[] = [
  "primary peer-primary * * *: primary false",
  "primary peer-backup * * *: active false",
  "primary peer-active * * *: passive false",
  "primary peer-passive * * *: primary false",
  "primary client-request * false *: primary false",
  "primary client-request * true *: active true",
  "backup peer-primary * * *: backup false",
  "backup peer-backup * * *: backup false",
  "backup peer-active * * *: passive false",
  "backup peer-passive * * *: backup false",
  "backup client-request * * *: backup false",
  "active peer-primary * * *: active true",
  "active peer-backup * * *: active true",
  "active peer-active * * true: active true active",
  "active peer-active * * false: passive false active",
  "active peer-passive * * *: active true",
  "active client-request * * *: active true",
  "passive peer-primary * * *: active false",
  "passive peer-backup * * *: active false",
  "passive peer-active * * *: passive false",
  "passive peer-passive primary * *: active false passive",
  "passive peer-passive backup * *: passive false passive",
  "passive client-request * false *: passive false",
  "passive client-request * true *: active true",
];

describe("binaryStarTransition()", () => {
  it("has the guide's transitions, and a way on from both active and both passive", () => {
    let seen = 0;
    for (const state of STATES) {
      for (const input of INPUTS) {
        for (const role of ["primary", "backup"] as const) {
          for (const peerSilent of [false, true]) {
            for (const wins of [false, true]) {
              const words = [state, input, role, String(peerSilent), String(wins)];
              const row = TABLE.find((line) =>
                line.split(": ")[0].split(" ").every((word, i) => word === "*" || word === words[i])
              )!;
              const outcome = binaryStarTransition(state, input, { role, peerSilent, wins });
              const told = [
                outcome.state,
                outcome.accepted,
                ...outcome.conflict ? [outcome.conflict] : [],
              ];
              assertEquals(told.join(" "), row.split(": ")[1], words.join(" "));
              seen++;
            }
          }
        }
      }
    }
    assertEquals(seen, 4 * 5 * 8);
  });

  it("never leaves both active, or none, once the two have heard each other often enough", () => {
    const step = fc.record({
      who: fc.nat(1),
      what: fc.constantFrom("hear", "ask", "restart", "ask-silent" as const),
    });
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const pair = new Pair();
      for (const { who, what } of steps) {
        if (what === "hear") pair.hear(who);
        else if (what === "restart") pair.restart(who);
        else pair.ask(who, what === "ask-silent");
      }
      for (let i = 0; i < 6; i++) pair.hear(i % 2);
      const states = pair.states.join(" ");
      assert(["active passive", "passive active"].includes(states), states);
      const before = states;
      for (let i = 0; i < 4; i++) pair.hear(i % 2);
      assertEquals(pair.states.join(" "), before, "and it stays so");
    }));
  });

  it("lets no client in where the other was heard, but at the active one", () => {
    fc.assert(fc.property(fc.array(fc.nat(1), { maxLength: 30 }), (hears) => {
      const pair = new Pair();
      for (const who of hears) {
        pair.hear(who);
        for (const asked of [0, 1]) {
          const accepted = pair.ask(asked, false).accepted;
          assertEquals(accepted, pair.states[asked] === "active");
        }
        assert(pair.states.join() !== "active,active");
      }
    }));
  });
});

/** Two servers with a perfect network: what one hears is the other's state at that moment. */
class Pair {
  readonly states: BinaryStarState[] = ["primary", "backup"];
  readonly #terms = [0, 0];

  hear(who: number): void {
    const other = 1 - who;
    this.#take(who, `peer-${this.states[other]}`, false);
    if (this.states[who] !== "active") {
      this.#terms[who] = Math.max(this.#terms[who], this.#terms[other]);
    }
  }

  ask(who: number, peerSilent: boolean): BinaryStarOutcome {
    return this.#take(who, "client-request", peerSilent);
  }

  restart(who: number): void {
    this.states[who] = roleOf(who);
    this.#terms[who] = 0;
  }

  #take(who: number, input: BinaryStarInput, peerSilent: boolean): BinaryStarOutcome {
    const ahead = this.#terms[who] - this.#terms[1 - who];
    const outcome = binaryStarTransition(this.states[who], input, {
      role: roleOf(who),
      peerSilent,
      wins: ahead > 0 || ahead === 0 && who === 0,
    });
    if (outcome.state === "active" && this.states[who] !== "active") {
      this.#terms[who] = Math.max(...this.#terms) + 1;
    }
    this.states[who] = outcome.state;
    return outcome;
  }
}

function roleOf(who: number): BinaryStarRole {
  return who === 0 ? "primary" : "backup";
}
