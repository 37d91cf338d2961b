// The gateway's side towards players: connections, sessions that begin and come back, inputs in, results out.

import { type Frame, Router } from "../../../mod.ts";
import { Connection } from "./connection.ts";
import { type Desk, send } from "./desk.ts";
import type { GameGatewayOptions } from "./options.ts";
import {
  a,
  ACK,
  b,
  c,
  CUT,
  header,
  INPUT,
  isHeader,
  JOIN,
  keyOf,
  PART,
  PING,
  PONG,
  PUSH,
  RESULT,
  RESUME,
  TOKEN_SIZE,
  WELCOME,
} from "./protocol.ts";
import { Session } from "./session.ts";

/** What happens to a session that concerns the servers. */
export interface SessionWatcher {
  began(session: Session): void;
  hasInput(session: Session): void;
  ended(session: Session): void;
}

/** So many reasons are kept for players that come back after they were cut. */
const KEPT_REASONS = 10_000;
const MOST_NAME = 255;

export class PlayerSide {
  readonly router: Router;
  readonly connections: Map<string, Connection> = new Map();
  readonly #desk: Desk;
  readonly #watcher: SessionWatcher;
  readonly #window: number;
  readonly #maxSessions: number;
  readonly #sessionTimeout: number;
  readonly #stallTimeout: number;
  readonly #reasons: Map<string, string> = new Map();
  readonly #stalled: Set<Connection> = new Set();
  /** Sessions without a connection. */
  readonly #homeless: Set<Session> = new Set();
  #lastId = 0;

  constructor(
    desk: Desk,
    watcher: SessionWatcher,
    options: Required<
      Pick<GameGatewayOptions, "window" | "maxSessions" | "sessionTimeout" | "stallTimeout">
    >,
    settings: ConstructorParameters<typeof Router>[0],
  ) {
    this.#desk = desk;
    this.#watcher = watcher;
    this.#window = options.window!;
    this.#maxSessions = options.maxSessions!;
    this.#sessionTimeout = options.sessionTimeout!;
    this.#stallTimeout = options.stallTimeout!;
    this.router = new Router(settings);
    this.router.events.on("disconnect", ({ routingId }) => {
      const connection = this.connections.get(keyOf(routingId));
      if (connection !== undefined) this.#gone(connection);
    });
  }

  async read(): Promise<void> {
    for await (const frames of this.router) this.#take(frames);
  }

  #take(frames: Frame[]): void {
    const [id, head] = frames;
    if (!isHeader(head)) return this.#desk.malformed("player", frames);
    const key = keyOf(id);
    let connection = this.connections.get(key);
    if (connection === undefined) {
      connection = new Connection(id, key, this.#desk.time);
      this.connections.set(key, connection);
    } else connection.heardAt = this.#desk.time;
    switch (head[0]) {
      case INPUT:
        return this.#input(connection, head, frames);
      case ACK:
        return this.#acknowledge(connection, head);
      case JOIN:
        return this.#join(connection, head, frames);
      case PING:
        return void send(this.router, [id, header(PONG, connection.sessions.size)]);
      case PART:
        return this.#part(connection, head);
      default:
        this.#desk.malformed("player", frames);
    }
  }

  /** The session of a message, if it belongs to the connection; otherwise its player is told to come back properly. */
  #find(connection: Connection, id: number): Session | undefined {
    const session = this.#desk.sessions.get(id);
    if (session?.connection === connection) return session;
    send(this.router, [connection.id, header(RESUME, id)]);
    return undefined;
  }

  #input(connection: Connection, head: Uint8Array, frames: Frame[]): void {
    if (frames.length < 3) return this.#desk.malformed("player", frames);
    const session = this.#find(connection, a(head));
    if (session === undefined) return;
    session.acknowledge(c(head));
    const number = b(head);
    if (number <= session.received) {
      this.#desk.counters.repeatedInputs++;
    } else if (number > session.received + 1) {
      // Something was lost with an earlier connection: he is told from where on.
      send(this.router, [connection.id, header(RESUME, session.id)]);
    } else if (number - session.acknowledged > this.#window) {
      this.cut(session, `more than ${this.#window} results are not acknowledged`);
    } else {
      session.accept(frames.slice(2));
      this.#desk.counters.inputs++;
      this.#watcher.hasInput(session);
    }
  }

  #acknowledge(connection: Connection, head: Uint8Array): void {
    this.#find(connection, a(head))?.acknowledge(c(head));
  }

  /** Begins a session, or takes it up on another connection. */
  #join(connection: Connection, head: Uint8Array, frames: Frame[]): void {
    const [, , token, name] = frames;
    if (frames.length !== 4 || token.length !== TOKEN_SIZE || name.length > MOST_NAME) {
      return this.#desk.malformed("player", frames);
    }
    const key = keyOf(token);
    const known = this.#desk.tokens.get(key);
    const refusal = known === undefined ? this.#refusal(key, c(head) > 0) : undefined;
    if (refusal !== undefined) {
      send(this.router, [connection.id, header(CUT, 0, a(head)), refusal]);
      return;
    }
    const session = known ?? this.#begin(key, name);
    if (known !== undefined) this.#desk.counters.resumed++;
    session.connection?.sessions.delete(session);
    session.connection = connection;
    connection.sessions.add(session);
    this.#homeless.delete(session);
    // From the last one that he has: what was sent after it may be lost.
    session.acknowledge(b(head));
    session.sent = session.acknowledged;
    session.unwelcomed = a(head);
    this.deliver(session);
    if (known === undefined) this.#watcher.began(session);
  }

  #refusal(token: string, again: boolean): string | undefined {
    const reason = this.#reasons.get(token);
    if (reason !== undefined) return reason;
    if (again) return "there is no such session: it was over, or the gateway is another one";
    if (this.#desk.sessions.size < this.#maxSessions) return undefined;
    return `all ${this.#maxSessions} places are taken`;
  }

  #begin(token: string, name: Frame): Session {
    const session = new Session(++this.#lastId, token, name.slice());
    this.#desk.add(session);
    return session;
  }

  #part(connection: Connection, head: Uint8Array): void {
    const session = this.#find(connection, a(head));
    if (session !== undefined) this.#end(session);
  }

  #end(session: Session): void {
    session.connection?.sessions.delete(session);
    session.connection = undefined;
    this.#homeless.delete(session);
    this.#desk.delete(session);
    this.#watcher.ended(session);
  }

  /** Ends a session against the player's will. */
  cut(session: Session, reason: string): void {
    const { connection } = session;
    this.#desk.counters.cut++;
    if (this.#reasons.size >= KEPT_REASONS) {
      this.#reasons.delete(this.#reasons.keys().next().value!);
    }
    this.#reasons.set(session.token, reason);
    if (connection !== undefined) {
      send(this.router, [connection.id, header(CUT, session.id), reason]);
    }
    this.#end(session);
    this.#desk.events.emit("cut", { session: session.id, reason });
  }

  /** Sends the welcome if it is due, and what results there are, in order, as far as there is room. */
  deliver(session: Session): void {
    if (session.unwelcomed !== undefined) {
      const head = header(WELCOME, session.unwelcomed, session.id, session.received);
      if (!this.#send(session, [head])) return;
      session.unwelcomed = undefined;
    }
    while (session.sent < session.resulted) {
      const head = header(RESULT, session.id, session.sent + 1);
      if (!this.#send(session, [head, ...session.nextResult])) return;
      session.sent++;
      this.#desk.counters.delivered++;
    }
  }

  #send(session: Session, frames: Uint8Array[]): boolean {
    const { connection } = session;
    if (connection === undefined) return false;
    const sent = send(this.router, [connection.id, ...frames]);
    if (sent === "full") this.#stall(connection);
    else if (sent === "gone") this.#gone(connection);
    return sent === "sent";
  }

  /** Sends what the player may miss: when there is no room, he does. */
  push(session: Session, body: readonly Frame[]): void {
    if (this.#send(session, [header(PUSH, session.id), ...body])) this.#desk.counters.pushes++;
    else this.#desk.counters.droppedPushes++;
  }

  #stall(connection: Connection): void {
    connection.stalledAt ??= this.#desk.time;
    this.#stalled.add(connection);
  }

  /** The sessions wait for their players to come back. */
  #gone(connection: Connection): void {
    this.connections.delete(connection.key);
    this.#stalled.delete(connection);
    for (const session of connection.sessions) {
      session.connection = undefined;
      session.goneAt = this.#desk.time;
      this.#homeless.add(session);
    }
    connection.sessions.clear();
  }

  /** Tries again where there was no room. */
  retry(time: number): void {
    for (const connection of [...this.#stalled]) {
      const hasRoom = send(this.router, [
        connection.id,
        header(PONG, connection.sessions.size),
      ]);
      if (hasRoom === "gone") this.#gone(connection);
      else if (hasRoom === "sent") {
        this.#stalled.delete(connection);
        connection.stalledAt = undefined;
        for (const session of [...connection.sessions]) this.deliver(session);
      } else if (time - connection.stalledAt! >= this.#stallTimeout) {
        this.#stalled.delete(connection);
        for (const session of [...connection.sessions]) {
          this.cut(session, `nothing was read for ${this.#stallTimeout} ms`);
        }
        this.connections.delete(connection.key);
      }
    }
  }

  /** Ends what nobody came back to. */
  sweep(time: number): void {
    for (const connection of [...this.connections.values()]) {
      if (time - connection.heardAt >= this.#sessionTimeout) this.#gone(connection);
    }
    for (const session of [...this.#homeless]) {
      if (time - session.goneAt >= this.#sessionTimeout) {
        this.cut(session, `not heard of for ${this.#sessionTimeout} ms`);
      }
    }
  }
}
