// The gateway's side towards game servers: which session is where, what each still has to do, and where it goes on.

import { type Frame, Router } from "../../../mod.ts";
import { type Desk, send } from "./desk.ts";
import { Fleet, GameServerRecord } from "./fleet.ts";
import {
  a,
  AGAIN,
  b,
  BEAT,
  c,
  CLOSE,
  DONE,
  FAILED,
  GIVE,
  GOODBYE,
  header,
  isHeader,
  keyOf,
  LEAVE,
  OPEN,
  PLAY,
  PUSHED,
  READY,
  SAVED,
  STATE,
} from "./protocol.ts";
import type { Session } from "./session.ts";

/** What happens at a server that concerns the player. */
export interface ResultWatcher {
  hasResult(session: Session): void;
  pushed(session: Session, body: readonly Frame[]): void;
  failed(session: Session): void;
}

/** Limits; see `GameGatewayOptions`. */
export interface ServerLimits {
  readonly interval: number;
  readonly patience: number;
  readonly maxUnsaved: number;
  readonly maxServers: number;
  readonly rebalance: boolean;
}

/** So many sessions are on their way at a time when the load is evened out. */
const MOVES = 256;
const MOST_NAME = 255;

export class ServerSide {
  readonly router: Router;
  readonly fleet: Fleet = new Fleet();
  /** Sessions that no server has room for. */
  readonly waiting: Set<Session> = new Set();
  readonly #desk: Desk;
  readonly #watcher: ResultWatcher;
  readonly #limits: ServerLimits;
  #moving = 0;

  constructor(
    desk: Desk,
    watcher: ResultWatcher,
    limits: ServerLimits,
    settings: ConstructorParameters<typeof Router>[0],
  ) {
    this.#desk = desk;
    this.#watcher = watcher;
    this.#limits = limits;
    this.router = new Router(settings);
    this.router.events.on("disconnect", ({ routingId }) => {
      const server = this.fleet.get(keyOf(routingId));
      if (server !== undefined) this.#lose(server, "its connection has ended");
    });
  }

  async read(): Promise<void> {
    for await (const frames of this.router) this.#take(frames);
  }

  #take(frames: Frame[]): void {
    const [id, head] = frames;
    if (!isHeader(head)) return this.#desk.malformed("server", frames);
    const key = keyOf(id);
    const server = this.fleet.get(key);
    if (head[0] === READY) return this.#ready(server, key, frames);
    if (server === undefined) {
      // It was given up, or this gateway is a new one: it has to begin again.
      if (head[0] === BEAT) send(this.router, [id, header(AGAIN)]);
      return;
    }
    server.heardAt = this.#desk.time;
    if (head[0] === BEAT) server.load = a(head);
    else if (head[0] === LEAVE) this.#leave(server);
    else this.#ofSession(server, head, frames);
  }

  #ready(server: GameServerRecord | undefined, key: string, frames: Frame[]): void {
    const [id, head, name] = frames;
    const capacity = a(head);
    if (frames.length !== 3 || name.length > MOST_NAME || capacity === 0) {
      return this.#desk.malformed("server", frames);
    }
    if (server !== undefined) this.#lose(server, "it has begun again");
    if (this.fleet.size >= this.#limits.maxServers) return;
    const added = new GameServerRecord(id, key, name.toString(), capacity, this.#desk.time);
    this.fleet.add(added);
    send(this.router, [id, header(BEAT)]);
    this.#desk.events.emit("server", { name: added.name, capacity });
    this.#placeWaiting();
  }

  #ofSession(server: GameServerRecord, head: Uint8Array, frames: Frame[]): void {
    const session = this.#desk.sessions.get(a(head));
    // What a session's earlier server says is of the past: its inputs are with another one now.
    if (session?.server !== server || session.epoch !== b(head)) return;
    switch (head[0]) {
      case DONE:
        return this.#done(session, c(head), undefined, frames, 2);
      case SAVED:
        return this.#done(session, c(head), frames[2], frames, 3);
      case STATE:
        return this.#given(session, c(head), frames[2]);
      case PUSHED:
        return this.#watcher.pushed(session, frames.slice(2));
      case FAILED:
        return this.#watcher.failed(session);
      default:
        this.#desk.malformed("server", frames);
    }
  }

  #done(
    session: Session,
    number: number,
    state: Frame | undefined,
    frames: Frame[],
    from: number,
  ): void {
    const server = session.server!;
    if (number !== session.done + 1 || number > session.forwarded || frames.length <= from) {
      this.#desk.malformed("server", frames);
      return this.#lose(server, `it answered input ${number} instead of ${session.done + 1}`);
    }
    if (session.finish(frames.slice(from))) {
      this.#desk.counters.results++;
      this.#watcher.hasResult(session);
    } else this.#desk.counters.replayed++;
    if (state !== undefined) session.save(state.slice());
    else if (session.done - session.saved > this.#limits.maxUnsaved) {
      this.#lose(server, `it did ${this.#limits.maxUnsaved} inputs without saving`);
    }
  }

  // Sessions that begin, move and end

  /** Gives a session to the best server, or has it wait for one. */
  place(session: Session): void {
    const server = this.fleet.best();
    if (server === undefined) return void this.waiting.add(session);
    session.server = server;
    server.sessions.add(session);
    this.pump(session);
  }

  #placeWaiting(): void {
    for (const session of [...this.waiting]) {
      if (this.fleet.best() === undefined) return;
      this.waiting.delete(session);
      this.place(session);
    }
  }

  /** Sends what its server has to know of a session, as far as there is room. */
  pump(session: Session): void {
    const { server, id, epoch } = session;
    if (server === undefined) return;
    const to = server.id;
    if (!session.opened) {
      const state = session.state === undefined ? [] : [session.state];
      const open = [to, header(OPEN, id, epoch, session.saved), session.name, ...state];
      if (!this.#send(server, session, open)) return;
      session.opened = true;
    }
    if (session.moving === "wanted") {
      if (!this.#send(server, session, [to, header(GIVE, id, epoch)])) return;
      session.moving = "asked";
    }
    // What comes while it moves is for the next one.
    while (session.moving === "no" && session.forwarded < session.received) {
      const head = header(PLAY, id, epoch, session.forwarded + 1);
      if (!this.#send(server, session, [to, head, ...session.nextInput])) return;
      session.forwarded++;
    }
  }

  #send(server: GameServerRecord, session: Session, message: Uint8Array[]): boolean {
    const sent = send(this.router, message);
    if (sent === "sent") {
      server.sentAt = this.#desk.time;
      return true;
    }
    if (sent === "full") server.stalled.add(session);
    else this.#lose(server, "its connection has ended");
    return false;
  }

  #move(session: Session): void {
    if (session.moving !== "no") return;
    session.moving = "wanted";
    this.#moving++;
    this.pump(session);
  }

  /** A server has handed a session over: it goes on elsewhere. */
  #given(session: Session, number: number, state: Frame | undefined): void {
    const server = session.server!;
    if (session.moving !== "asked" || number !== session.done || state === undefined) {
      return this.#lose(server, `it gave session ${session.id} away unasked, or without its work`);
    }
    session.save(state.slice());
    this.#release(session);
    this.#desk.counters.moved++;
    this.place(session);
    if (server.leaving && server.sessions.size === 0) this.#goodbye(server);
  }

  #release(session: Session): void {
    if (session.moving !== "no") this.#moving--;
    session.release();
  }

  end(session: Session): void {
    const { server, id, epoch, opened } = session;
    this.waiting.delete(session);
    this.#release(session);
    if (server === undefined) return;
    if (opened) send(this.router, [server.id, header(CLOSE, id, epoch)]);
    if (server.leaving && server.sessions.size === 0) this.#goodbye(server);
    else this.#placeWaiting();
  }

  // Servers that go

  #leave(server: GameServerRecord): void {
    if (server.leaving) return;
    server.leaving = true;
    if (server.sessions.size === 0) return this.#goodbye(server);
    for (const session of [...server.sessions]) this.#move(session);
  }

  #goodbye(server: GameServerRecord): void {
    if (!this.fleet.delete(server)) return;
    send(this.router, [server.id, header(GOODBYE)]);
    this.#desk.events.emit("left", { name: server.name });
  }

  /** Its sessions go on elsewhere from their last saved states, with all inputs since. */
  #lose(server: GameServerRecord, reason: string): void {
    if (!this.fleet.delete(server)) return;
    const sessions = [...server.sessions];
    for (const session of sessions) this.#release(session);
    this.#desk.counters.reassigned += sessions.length;
    for (const session of sessions) this.place(session);
    const { name } = server;
    this.#desk.events.emit("lost", { name, reason, sessions: sessions.length });
  }

  // Now and then

  /** Tries again where there was no room. */
  retry(): void {
    for (const server of [...this.fleet.values()]) {
      if (server.stalled.size === 0) continue;
      const stalled = [...server.stalled];
      server.stalled.clear();
      for (const session of stalled) if (session.server === server) this.pump(session);
    }
  }

  /** Heartbeats, and servers that are silent. */
  beat(time: number): void {
    for (const server of [...this.fleet.values()]) {
      if (time - server.heardAt >= this.#limits.patience) {
        this.#lose(server, `nothing was heard of it for ${this.#limits.patience} ms`);
      } else if (time - server.sentAt >= this.#limits.interval) {
        if (send(this.router, [server.id, header(BEAT)]) === "gone") {
          this.#lose(server, "its connection has ended");
        } else server.sentAt = time;
      }
    }
    if (this.#limits.rebalance) this.#rebalance();
  }

  #rebalance(): void {
    for (const [server, excess] of this.fleet.above()) {
      let count = Math.min(excess, MOVES - this.#moving);
      for (const session of server.sessions) {
        if (count-- <= 0) break;
        this.#move(session);
      }
    }
  }
}
