// A program of ours and one of libzmq's, each the server or the client of a mechanism, for the tests of traffic.

import { after, afterEach, before, describe } from "@std/testing/bdd";
import { type PeerOptions, startPeer } from "./peer.ts";
import { type MechanismName, ROLES, zapRule } from "./security_options.ts";
import { type End, LibzmqStage, OurStage, type SecureType, type Stage } from "./security_stage.ts";

/** What we are; libzmq is the other. */
export type Role = "server" | "client";

export const ROLES_OF_OURS: readonly Role[] = ["server", "client"];

/** Both programs, where everybody is let in. */
export class Sides {
  readonly mechanism: MechanismName;
  /** Ours. */
  readonly role: Role;
  #ours: OurStage | undefined;
  #theirs: LibzmqStage | undefined;
  readonly #ends: End[] = [];
  readonly #mortals: LibzmqStage[] = [];

  constructor(mechanism: MechanismName, role: Role) {
    this.mechanism = mechanism;
    this.role = role;
  }

  get ours(): OurStage {
    return this.#ours!;
  }

  get theirs(): LibzmqStage {
    return this.#theirs!;
  }

  async start(): Promise<void> {
    this.#ours = new OurStage();
    this.#theirs = new LibzmqStage(startPeer());
    for (const stage of [this.#ours, this.#theirs]) await stage.handleZap(zapRule());
  }

  /** Opens our socket in our role. */
  openOurs(type: SecureType, options: PeerOptions = {}): Promise<End> {
    return this.#open(this.ours, type, this.role, options);
  }

  /** Opens a socket of libzmq in the other role. */
  openTheirs(type: SecureType, options: PeerOptions = {}): Promise<End> {
    return this.#open(this.theirs, type, this.#other, options);
  }

  /** The same in a process of its own, which can be killed or frozen. */
  async openMortal(type: SecureType, options: PeerOptions = {}): Promise<[LibzmqStage, End]> {
    const stage = new LibzmqStage(startPeer());
    this.#mortals.push(stage);
    await stage.handleZap(zapRule());
    return [stage, await stage.open(type, { ...options, ...ROLES[this.mechanism][this.#other] })];
  }

  /** Closes what a test opened. */
  async part(): Promise<void> {
    await Promise.all(this.#ends.splice(0).map((end) => end.close()));
    await Promise.all(this.#mortals.splice(0).map((stage) => stage.stop()));
  }

  async stop(): Promise<void> {
    await Promise.all([this.ours.stop(), this.theirs.stop()]);
  }

  get #other(): Role {
    return this.role === "server" ? "client" : "server";
  }

  async #open(stage: Stage, type: SecureType, role: Role, options: PeerOptions): Promise<End> {
    const end = await stage.open(type, { ...options, ...ROLES[this.mechanism][role] });
    this.#ends.push(end);
    return end;
  }
}

/** Describes a behaviour for both of our roles. */
export function describeSides(
  mechanism: MechanismName,
  what: string,
  body: (sides: Sides, role: Role) => void,
): void {
  for (const role of ROLES_OF_OURS) {
    describe(`${mechanism}, we are the ${role}: ${what}`, () => {
      const sides = new Sides(mechanism, role);
      before(() => sides.start());
      after(() => sides.stop());
      afterEach(() => sides.part());
      body(sides, role);
    });
  }
}
