// One server of a Binary Star pair: it tells the other its state, hears the other's, and decides who serves.

import {
  type CommonOptions,
  type Frame,
  Publisher,
  type Router,
  Subscriber,
  ZmqError,
} from "../../../mod.ts";
import { checkFunction, refuse } from "../base/checks.ts";
import { type HeartbeatOptions, type Heartbeats, heartbeatsOf } from "../base/liveness.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { type Cancel, every, now } from "../base/time.ts";
import {
  type BinaryStarInput,
  type BinaryStarRole,
  type BinaryStarState,
  binaryStarTransition,
} from "./machine.ts";
import { readStatus, writeStatus } from "./status.ts";

/** Options of a {@linkcode BinaryStar}. Both servers should have the same heartbeats. */
export interface BinaryStarOptions extends PartOptions, HeartbeatOptions {
  /** Which of the two it is. */
  readonly role: BinaryStarRole;
  /**
   * Options of the socket that connects to the other server, where they differ from `socketOptions`: with CURVE, one end is
   * the server and the other the client.
   * @default {socketOptions}
   */
  readonly peerSocketOptions?: Readonly<Partial<CommonOptions>> | undefined;
}

/** What a {@linkcode BinaryStar} tells. */
export interface BinaryStarEvents {
  /** From now on this server serves the clients. Told before the request that brought it about is accepted. */
  active: { readonly was: BinaryStarState };
  /** From now on it stands by, and the other one is active. */
  passive: { readonly was: BinaryStarState };
  /** Both servers were found to be active, or both passive; `yields` is true when this one gives way. */
  conflict: { readonly both: "active" | "passive"; readonly yields: boolean };
  /** The other sent what is no state. */
  malformed: { readonly reason: string; readonly frames: readonly Frame[] };
  /** What a handler of {@linkcode BinaryStar.voter} threw, or a socket that failed. */
  error: { readonly error: unknown };
}

/** Figures of a {@linkcode BinaryStar}. */
export interface BinaryStarStats {
  /** States heard from the other. */
  readonly heard: number;
  /** Requests of clients that were accepted. */
  readonly accepted: number;
  /** Requests of clients that were refused. */
  readonly refused: number;
  /** How often it became active. */
  readonly takeovers: number;
  /** How often both were active, or both passive. */
  readonly conflicts: number;
  /** Messages of the other that are no state. */
  readonly malformed: number;
}

type Counters = { -readonly [K in keyof BinaryStarStats]: BinaryStarStats[K] };

/**
 * One server of a pair that looks after each other: one is active and serves clients, the other stands by and takes over
 * when the active one is silent and a client asks for service (guide, chapter 4: bstar).
 *
 * It decides only who serves; the service is the user's. Ask {@linkcode BinaryStar.accepts} before each request, or
 * let {@linkcode BinaryStar.voter} do so for a ROUTER. docs/patterns/binary_star.md tells what the pair guarantees.
 *
 * @example A pair; the backup takes over
 * ```ts
 * import { BinaryStar } from "@wasmq/wasmq/patterns";
 *
 * const beats = { heartbeatInterval: 50, heartbeatLiveness: 4 };
 * const primary = new BinaryStar({ role: "primary", ...beats });
 * const backup = new BinaryStar({ role: "backup", ...beats });
 * await primary.bind("tcp://127.0.0.1:*");
 * await backup.bind("tcp://127.0.0.1:*");
 * const passive = new Promise((resolve) => backup.events.once("passive", resolve));
 * primary.connect(backup.endpoint!);
 * backup.connect(primary.endpoint!);
 * await passive;
 * console.log(primary.state, primary.accepts()); // active true
 * console.log(backup.state, backup.accepts()); // passive false
 *
 * await primary.close();
 * while (!backup.accepts()) await new Promise((resolve) => setTimeout(resolve, 10));
 * console.log(backup.state); // active
 * await backup.close();
 * ```
 */
export class BinaryStar extends Part<BinaryStarEvents> {
  /** Which of the two it is. */
  readonly role: BinaryStarRole;
  readonly #beats: Heartbeats;
  readonly #publisher: Publisher;
  readonly #subscriber: Subscriber;
  readonly #counters: Counters = {
    heard: 0,
    accepted: 0,
    refused: 0,
    takeovers: 0,
    conflicts: 0,
    malformed: 0,
  };
  readonly #voters: Promise<void>[] = [];
  readonly #timer: Cancel;
  #listening: Promise<void> | undefined;
  #state: BinaryStarState;
  /** Counts changes of the active one, as far as this server knows: of two active ones the higher stays. */
  #term = 0;
  #peerTerm = 0;
  /** When the other was heard last. */
  #heard: number;
  /** When this server last had its turn. */
  #awake: number;
  /** It was active and stood still, since when: the other may have taken over. */
  #doubtful: number | undefined;

  /** Makes one server of the pair, which has to `bind` and to `connect` to the other. */
  constructor(options: BinaryStarOptions) {
    super(options);
    const { role, peerSocketOptions = options.socketOptions } = options;
    if (role !== "primary" && role !== "backup") refuse("role", role, '"primary" or "backup"');
    this.role = role;
    this.#state = role;
    this.#beats = heartbeatsOf(options);
    this.#publisher = new Publisher(socketSettings(options, { linger: 0 }));
    this.#subscriber = new Subscriber(
      socketSettings({ ...options, socketOptions: peerSocketOptions }, {
        reconnectInterval: Math.min(100, this.#beats.interval),
        reconnectMaxInterval: 0,
      }),
    );
    this.#subscriber.subscribe();
    this.#heard = this.#awake = now();
    this.#timer = every(this.#beats.interval, () => {
      this.#wake(now());
      this.#tell();
    });
  }

  /** What it is doing. */
  get state(): BinaryStarState {
    return this.#state;
  }

  /**
   * True when this server is the one that serves. An active one that stood still for longer than the patience (a stopped
   * process, a suspended machine) is not, until it knows that the other did not take over meanwhile.
   */
  get active(): boolean {
    this.#wake(now());
    return this.#state === "active" && this.#doubtful === undefined;
  }

  /** Where it tells its state, as `bind` resolved it. */
  get endpoint(): string | null {
    return this.#publisher.lastEndpoint;
  }

  /** The figures as they are now. */
  stats(): BinaryStarStats {
    return { ...this.#counters };
  }

  /**
   * Listens for the other server.
   *
   * @throws {EndpointError} Rejects as `Socket.bind` does.
   */
  bind(address: string): Promise<void> {
    this.assertOpen();
    return this.#publisher.bind(address);
  }

  /**
   * Connects to where the other server has bound. From now on the other has the time of the patience to show up.
   *
   * @throws {EndpointError} As `Socket.connect` throws.
   * @throws {ZmqError} `EBUSY` when it is connected already.
   */
  connect(address: string): void {
    this.assertOpen();
    if (this.#listening !== undefined) {
      throw new ZmqError("EBUSY", "A BinaryStar has one other server and is connected already", {
        address: this.#subscriber.lastEndpoint ?? undefined,
      });
    }
    this.#subscriber.connect(address);
    this.#heard = now();
    this.#listening = this.#listen();
  }

  /**
   * To be asked for each request of a client, once: true when this server has to serve it. The request is the client's
   * vote: where the active server is silent, it makes this one active. What is refused must be dropped without an answer,
   * so that the client goes to the other server.
   */
  accepts(): boolean {
    const time = now();
    this.#wake(time);
    const accepted = !this.closed && this.#listening !== undefined &&
      this.#take("client-request", time) && this.#doubtful === undefined;
    this.#counters[accepted ? "accepted" : "refused"]++;
    return accepted;
  }

  /**
   * Takes the requests of clients from a ROUTER until one of both is closed, and hands those over that this server has to
   * serve: all frames, the routing id of the client first. The ROUTER stays the caller's. What the handler throws
   * is told by the event `error`.
   */
  voter(router: Router, handler: (message: Frame[]) => void | Promise<void>): void {
    this.assertOpen();
    checkFunction("handler", handler);
    this.#voters.push(this.#vote(router, handler));
  }

  async #vote(router: Router, handler: (message: Frame[]) => unknown): Promise<void> {
    const failed = (error: unknown): void => this.events.emit("error", { error });
    while (!this.closed && !router.closed) {
      try {
        const message = await router.receive({ signal: this.closing });
        if (!this.accepts()) continue;
        const handled = handler(message);
        if (handled instanceof Promise) handled.catch(failed);
      } catch (error) {
        if (!this.closed && !router.closed) failed(error);
      }
    }
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    this.#timer();
    await Promise.all([this.#publisher.close(), this.#subscriber.close()]);
    await Promise.all([this.#listening, ...this.#voters]);
  }

  async #listen(): Promise<void> {
    for await (const frames of this.#subscriber) {
      const status = readStatus(frames);
      const time = now();
      this.#wake(time);
      if (status === undefined) {
        this.#counters.malformed++;
        this.events.emit("malformed", { reason: "no state", frames });
        continue;
      }
      this.#counters.heard++;
      this.#heard = time;
      this.#peerTerm = status.term;
      this.#take(`peer-${status.state}`, time);
      if (this.#state !== "active") this.#term = Math.max(this.#term, status.term);
    }
  }

  /** Goes to the next state; true when a request was accepted. */
  #take(input: BinaryStarInput, time: number): boolean {
    const was = this.#state;
    const ahead = this.#term - this.#peerTerm;
    const { state, accepted, conflict } = binaryStarTransition(was, input, {
      role: this.role,
      peerSilent: time - this.#heard >= this.#beats.patience,
      wins: ahead > 0 || ahead === 0 && this.role === "primary",
    });
    this.#state = state;
    if (conflict !== undefined) {
      this.#counters.conflicts++;
      const yields = conflict === "active" ? state === "passive" : state !== "active";
      this.events.emit("conflict", { both: conflict, yields });
    }
    if (state !== was) this.#changed(was);
    return accepted;
  }

  #changed(was: BinaryStarState): void {
    this.#doubtful = undefined;
    if (this.#state === "active") {
      this.#term = Math.max(this.#term, this.#peerTerm) + 1;
      this.#counters.takeovers++;
    }
    this.#tell();
    if (this.#state === "active") this.events.emit("active", { was });
    else this.events.emit("passive", { was });
  }

  #tell(): void {
    if (!this.closed) this.#publisher.trySend(writeStatus(this.#state, this.#term));
  }

  /**
   * Notices that this server itself stood still. The other one is then not to be blamed for its silence, and it may have
   * taken over: for as long as it needs to say so an active one does not serve.
   */
  #wake(time: number): void {
    const { interval, patience } = this.#beats;
    if (time - this.#awake >= patience) {
      this.#heard = time;
      if (this.#state === "active") this.#doubtful = time;
    }
    this.#awake = time;
    if (this.#doubtful === undefined) return;
    // What was on the way while it stood still is old news; what is said after an interval is not.
    const told = this.#heard >= this.#doubtful + interval;
    if (!told && time < this.#doubtful + patience) return;
    this.#doubtful = undefined;
    this.events.emit("active", { was: "active" });
  }
}
