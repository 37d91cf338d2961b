// The side of the producer.

import { type Frame, Observer, type OperationOptions, Router, ZmqError } from "../../../mod.ts";
import { checkCount } from "../base/checks.ts";
import { drain } from "../base/drain.ts";
import { type Heartbeats, heartbeatsOf, Liveness } from "../base/liveness.ts";
import { type Body, keyOf, sameOctets } from "../base/octets.ts";
import { Part, socketSettings } from "../base/part.ts";
import { Ticker } from "../base/ticker.ts";
import { type GatewayMemberStats, itemOf, Member } from "./member.ts";
import type { PushGatewayEvents, PushGatewayOptions, PushGatewayStats } from "./options.ts";
import { Distributor } from "./distributor.ts";
import * as protocol from "./protocol.ts";
import { COMMANDS, countIn, numberIn } from "./protocol.ts";

const DONE = Promise.resolve();

/**
 * Gives items to workers that come and go while it runs. Each worker says how many items it takes at a time, its credit, and
 * acknowledges each one that it has done. What a worker has not acknowledged when it dies or leaves is given to others: no
 * item is lost while the gateway lives. Without faults each item is done once; after a fault an item can be done twice.
 *
 * @example Workers that come and go
 * ```ts
 * import { GatewayWorker, PushGateway } from "@wasmq/wasmq/patterns";
 *
 * await using gateway = new PushGateway();
 * await gateway.bind("tcp://127.0.0.1:*");
 *
 * const sums: number[] = [0, 0];
 * const workers = sums.map((_, i) =>
 *   new GatewayWorker({
 *     endpoint: gateway.lastEndpoint!,
 *     handler: ([number]) => void (sums[i] += Number(String(number))),
 *   })
 * );
 *
 * for (let i = 1; i <= 100; i++) await gateway.send(i);
 * await workers[0].close(); // the other one does what is left
 * await gateway.idle();
 * console.log(sums[0] + sums[1]); // 5050
 * await workers[1].close();
 * ```
 */
export class PushGateway extends Part<PushGatewayEvents> {
  readonly #router: Router;
  readonly #beats: Heartbeats;
  readonly #maxWorkers: number;
  readonly #maxCredit: number;
  readonly #members: Map<string, Member> = new Map();
  readonly #distributor: Distributor;
  readonly #ticker: Ticker;
  readonly #reading: Promise<void>;
  readonly #counts = { lost: 0, turnedAway: 0, malformed: 0 };

  /**
   * Makes a gateway; `bind` opens it for workers.
   *
   * @throws {TypeError} `EINVAL` for an option that cannot be right.
   */
  constructor(options: PushGatewayOptions = {}) {
    super(options);
    this.#beats = heartbeatsOf(options);
    this.#maxWorkers = checkCount("maxWorkers", options.maxWorkers ?? 1000, 1);
    this.#maxCredit = checkCount("maxCredit", options.maxCredit ?? 10_000, 1);
    const { maxFailures } = options;
    this.#distributor = new Distributor(
      {
        tell: (member, message) => this.#tell(member, message),
        failed: ({ body, failures }, error) =>
          this.events.emit("failed", { body, failures, error }),
      },
      checkCount("maxBuffer", options.maxBuffer ?? 1000, 0),
      maxFailures === undefined ? Infinity : checkCount("maxFailures", maxFailures, 1),
    );
    // Credit says how much may be under way: a high-water mark would only drop things.
    const needed = { mandatory: true, sendHighWaterMark: 0, linger: 0 };
    this.#router = new Router(socketSettings(options, needed));
    new Observer(this.#router).on("disconnect", ({ routingId }) => {
      const member = this.#members.get(keyOf(routingId));
      if (member !== undefined) member.gone = this.#ticker.time;
    });
    this.#ticker = new Ticker(this.#beats.interval / 2, (time) => this.#look(time)).start();
    this.#reading = this.#read();
  }

  /**
   * Listens for workers; it can be called several times.
   *
   * @throws {EndpointError} As the socket's `bind`.
   */
  bind(address: string): Promise<void> {
    return this.#router.bind(address);
  }

  /** The endpoint of the last `bind`, with wildcards resolved. */
  get lastEndpoint(): string | null {
    return this.#router.lastEndpoint;
  }

  /**
   * Accepts an item: resolves when a worker was given it, or it is in the buffer; waits while the buffer is full. Octets
   * must not be changed until the item is done. Rejects with `EBADF` when the gateway is closed, `EINVAL` for what cannot be
   * sent, and the signal's reason.
   */
  send(body: Body, options?: OperationOptions): Promise<void> {
    if (this.closed) return Promise.reject(this.closing.reason);
    const item = itemOf(body);
    if (item instanceof TypeError) return Promise.reject(item);
    return this.#distributor.accept(item) ? DONE : this.#distributor.wait(item, options);
  }

  /**
   * Accepts an item if that is possible at once.
   *
   * @throws {ZmqError} `EBADF` when the gateway is closed.
   * @throws {TypeError} `EINVAL` for what cannot be sent.
   */
  trySend(body: Body): boolean {
    this.assertOpen();
    const item = itemOf(body);
    if (item instanceof TypeError) throw item;
    return this.#distributor.accept(item);
  }

  /**
   * Resolves when every item that was accepted is done, or given up. Rejects with `EBADF` when the gateway is closed before,
   * and the signal's reason.
   */
  idle(options?: OperationOptions): Promise<void> {
    if (this.#distributor.isIdle) return DONE;
    if (this.closed) return Promise.reject(this.closing.reason);
    return this.#distributor.idle(options);
  }

  /** The workers that are there. */
  workers(): GatewayMemberStats[] {
    return [...this.#members.values()].map((member) => member.stats());
  }

  /**
   * Has a worker leave: it gets no more, finishes what it has begun, gives the rest back and is closed. Resolves when it is
   * gone.
   *
   * @throws {ZmqError} Rejects with `EHOSTUNREACH` when no worker has this id, and the signal's reason.
   */
  drain(id: string, { signal }: OperationOptions = {}): Promise<void> {
    const member = [...this.#members.values()].find(({ label }) => label.id === id);
    if (member === undefined) {
      return Promise.reject(
        new ZmqError("EHOSTUNREACH", `No worker has the id ${id}; workers() tells who is there`),
      );
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    member.leaving = true;
    this.#tell(member, [member.id, COMMANDS[protocol.DRAIN]]);
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal!.reason);
      signal?.addEventListener("abort", abort);
      member.farewells.push(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      });
    });
  }

  /** What has been counted. */
  stats(): PushGatewayStats {
    return { ...this.#counts, ...this.#distributor.stats(), workers: this.#members.size };
  }

  /** False when the worker's connection is gone. */
  #tell(member: Member, message: Parameters<Router["trySend"]>[0]): boolean {
    try {
      this.#router.trySend(message);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EHOSTUNREACH") throw error;
      member.gone ??= this.#ticker.time;
      return false;
    }
    member.liveness.sent(this.#ticker.time);
    return true;
  }

  async #read(): Promise<void> {
    try {
      await drain(this.#router, (message) => this.#handle(message));
    } catch (error) {
      this.events.emit("error", { error });
      void this.close();
    }
  }

  #handle(message: Frame[]): void {
    const [id, command] = message;
    const code = command?.length === 1 ? command[0] : 0;
    const key = keyOf(id);
    if (code === protocol.READY) return this.#ready(key, message);
    const member = this.#members.get(key);
    if (code < protocol.DONE || code > protocol.BEAT) {
      return this.#malformed(id, "it begins with no command of a worker");
    }
    if (member === undefined) {
      if (code !== protocol.BYE) this.#reply(id, protocol.UNKNOWN);
      return;
    }
    member.liveness.heard(this.#ticker.time);
    if (code === protocol.BEAT) return;
    if (code === protocol.BYE) return this.#left(member);
    const tags = message[2];
    const count = countIn(tags);
    if (count === undefined || message.length !== 3) {
      return this.#malformed(id, "a command is followed by one frame of 32-bit tags");
    }
    if (code === protocol.DONE) {
      for (let i = 0; i < count; i++) this.#distributor.done(member, numberIn(tags, i));
      this.#distributor.queue(member);
    } else if (code === protocol.REFUSED) {
      for (let i = 0; i < count; i++) this.#distributor.refused(member, numberIn(tags, i));
      this.#distributor.queue(member);
    } else {
      member.leaving = true;
      const kept = new Set<number>();
      for (let i = 0; i < count; i++) kept.add(numberIn(tags, i));
      this.#distributor.takeBack(member, false, kept);
    }
    this.#distributor.pump();
  }

  #ready(key: string, message: Frame[]): void {
    const [id, , version, credit, name] = message;
    const wrong = message.length !== 5 || !sameOctets(version, protocol.VERSION) ||
      countIn(credit) !== 1 || numberIn(credit, 0) === 0 || name.length > protocol.LONGEST_NAME;
    if (wrong) return this.#malformed(id, "READY has a version, EPG1, a credit and a name");
    const known = this.#members.get(key);
    // It has begun anew on the same connection: what it had it does not have any more.
    if (known !== undefined) this.#remove(known, "disconnected");
    if (this.#members.size >= this.#maxWorkers) {
      this.#counts.turnedAway++;
      return;
    }
    const most = Math.min(numberIn(credit, 0), this.#maxCredit);
    const liveness = new Liveness(this.#beats, this.#ticker.time);
    const member = new Member(key, id.slice(), String(name), most, liveness);
    this.#members.set(key, member);
    // The welcome.
    this.#tell(member, [member.id, COMMANDS[protocol.BEAT]]);
    this.#distributor.queue(member);
    this.events.emit("worker", { ...member.label, credit: most });
    this.#distributor.pump();
  }

  #left(member: Member): void {
    this.#members.delete(member.key);
    const returned = this.#distributor.takeBack(member, false);
    this.#farewell(member);
    this.events.emit("left", { ...member.label, returned });
    this.#distributor.pump();
  }

  #remove(member: Member, reason: "silent" | "disconnected"): void {
    this.#members.delete(member.key);
    this.#counts.lost++;
    const returned = this.#distributor.takeBack(member, true);
    this.#farewell(member);
    this.events.emit("lost", { ...member.label, returned, reason });
    this.#distributor.pump();
  }

  #farewell(member: Member): void {
    // It may stand in the line still.
    member.leaving = true;
    for (const farewell of member.farewells) farewell();
  }

  #malformed(peer: Frame, reason: string): void {
    this.#counts.malformed++;
    this.events.emit("malformed", { peer, reason });
  }

  #reply(id: Frame, command: number): void {
    try {
      this.#router.trySend([id, COMMANDS[command]]);
    } catch {
      // Gone already.
    }
  }

  #look(time: number): void {
    for (const member of this.#members.values()) {
      const { gone, liveness } = member;
      // What it sent before its connection ended is to be read first.
      const read = !this.#router.readable || time - (gone ?? time) > this.#beats.patience;
      if (gone !== undefined) {
        if (read) this.#remove(member, "disconnected");
      } else if (liveness.lost(time)) this.#remove(member, "silent");
      else if (liveness.due(time)) this.#tell(member, [member.id, COMMANDS[protocol.BEAT]]);
    }
  }

  /** @internal */
  protected async shut(): Promise<void> {
    this.#ticker.stop();
    this.#distributor.end(this.closing.reason);
    for (const member of this.#members.values()) this.#farewell(member);
    await this.#router.close();
    await this.#reading;
  }
}
