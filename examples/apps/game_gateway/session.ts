// One player's session, as the gateway keeps it: where the player is, where the game is, and all that is not acknowledged.

import type { Frame } from "../../../mod.ts";
import type { Connection } from "./connection.ts";
import type { GameServerRecord } from "./fleet.ts";

/** Whether a session is on its way to another server: not, to be asked for, asked for. */
export type Moving = "no" | "wanted" | "asked";

/**
 * Inputs are numbered 1, 2, 3 …; each has one result with its number. An input is kept until a saved state of the game has it
 * in, a result until the player has acknowledged it. So the game can go on from the saved state on any server, and the player
 * on any connection.
 */
export class Session {
  readonly id: number;
  readonly token: string;
  readonly name: Frame;
  connection: Connection | undefined;
  /** The player's own number for it, while he is still to be told that it is there. */
  unwelcomed: number | undefined;
  /** When it lost its connection. */
  goneAt = 0;

  server: GameServerRecord | undefined;
  /** Counts its servers: what an earlier one says of it does not count any more. */
  epoch = 0;
  /** The present server was given the state. */
  opened = false;
  moving: Moving = "no";

  /** The last input that came, and the last that the present server was sent, and has done. */
  received = 0;
  forwarded = 0;
  done = 0;
  /** The last input that is in the saved state. */
  saved = 0;
  state: Uint8Array | undefined;
  /** The inputs after `saved`. */
  inputs: Frame[][] = [];

  /** The last result that is known, was sent, and was acknowledged. */
  resulted = 0;
  sent = 0;
  acknowledged = 0;
  /** The results after `acknowledged`. */
  results: Frame[][] = [];

  constructor(id: number, token: string, name: Frame) {
    this.id = id;
    this.token = token;
    this.name = name;
  }

  /** The next input. */
  accept(input: Frame[]): void {
    this.received++;
    this.inputs.push(input);
  }

  /** The next input for the present server. */
  get nextInput(): Frame[] {
    return this.inputs[this.forwarded - this.saved];
  }

  /** The present server has done the next input; false when an earlier server had done it, too. */
  finish(result: Frame[]): boolean {
    this.done++;
    if (this.done <= this.resulted) return false;
    this.resulted = this.done;
    this.results.push(result);
    return true;
  }

  /** The state after all that is done: what it has in need not be kept. */
  save(state: Uint8Array): void {
    this.inputs.splice(0, this.done - this.saved);
    this.saved = this.done;
    this.state = state;
  }

  /** The next result for the player. */
  get nextResult(): Frame[] {
    return this.results[this.sent - this.acknowledged];
  }

  /** The player has all results up to this one. */
  acknowledge(number: number): void {
    if (number <= this.acknowledged || number > this.resulted) return;
    this.results.splice(0, number - this.acknowledged);
    this.acknowledged = number;
    if (this.sent < number) this.sent = number;
  }

  /** Its server is no longer its server: another one goes on from the saved state. */
  release(): void {
    this.server?.sessions.delete(this);
    this.server?.stalled.delete(this);
    this.server = undefined;
    this.epoch++;
    this.opened = false;
    this.moving = "no";
    this.forwarded = this.done = this.saved;
  }
}
