// What both sides of the gateway share: sessions, counters, and one way to send.

import type { Frame, MessageLike, Router } from "../../../mod.ts";
import type { Emitter } from "../../../src/patterns/mod.ts";
import type { GameGatewayEvents } from "./options.ts";
import type { Session } from "./session.ts";

/** Counters; see `GameGatewayStats`. */
export class Counters {
  inputs = 0;
  repeatedInputs = 0;
  results = 0;
  replayed = 0;
  delivered = 0;
  pushes = 0;
  droppedPushes = 0;
  moved = 0;
  reassigned = 0;
  resumed = 0;
  cut = 0;
  malformed = 0;
}

/** All that is known of sessions. */
export class Desk {
  readonly events: Emitter<GameGatewayEvents>;
  readonly counters: Counters = new Counters();
  readonly sessions: Map<number, Session> = new Map();
  readonly tokens: Map<string, Session> = new Map();

  /** Milliseconds, of a clock that does not count the time in which the process stood still. */
  time = 0;
  #ticked = performance.now();

  constructor(events: Emitter<GameGatewayEvents>) {
    this.events = events;
  }

  /** Time goes on, by two steps at most: what others said while the process stood still was not read yet. */
  tick(step: number): number {
    const real = performance.now();
    this.time += Math.min(real - this.#ticked, 2 * step);
    this.#ticked = real;
    return this.time;
  }

  add(session: Session): void {
    this.sessions.set(session.id, session);
    this.tokens.set(session.token, session);
  }

  delete(session: Session): void {
    this.sessions.delete(session.id);
    this.tokens.delete(session.token);
  }

  malformed(side: "player" | "server", frames: readonly Frame[]): void {
    this.counters.malformed++;
    if (this.events.heard("malformed")) this.events.emit("malformed", { side, frames });
  }
}

/** How a send went: it is on its way, there is no room, or nobody has that routing id. */
export type Sent = "sent" | "full" | "gone";

/** Sends without waiting, on a ROUTER with `mandatory`. */
export function send(router: Router, message: readonly MessageLike[]): Sent {
  if (router.closed) return "gone";
  try {
    return router.trySend(message) ? "sent" : "full";
  } catch (error) {
    if ((error as { code?: string }).code === "EHOSTUNREACH") return "gone";
    throw error;
  }
}
