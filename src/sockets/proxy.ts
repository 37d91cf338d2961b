// A proxy: moves messages between two sockets, both ways, as fast as both of them allow.

import { StateError, withCode } from "../errors.ts";
import { Lane, type LaneCounts } from "./lane.ts";
import { engineOf } from "./inside.ts";
import { Socket } from "./socket.ts";

/** What went through one of a proxy's sockets. Octets are those of frames, without framing. */
export interface ProxyCounts {
  /** Messages received from its peers. */
  readonly messagesIn: number;
  /** Octets received from its peers. */
  readonly bytesIn: number;
  /** Messages sent to its peers. */
  readonly messagesOut: number;
  /** Octets sent to its peers. */
  readonly bytesOut: number;
}

/** What went through a proxy. */
export interface ProxyStatistics {
  /** Between the front end and its peers. */
  readonly frontEnd: ProxyCounts;
  /** Between the back end and its peers. */
  readonly backEnd: ProxyCounts;
}

/**
 * Connects the peers of two sockets: what one receives the other sends, both ways. It takes from a socket only what the
 * other one has room for, so a slow back end slows the front end down. Useful pairs are Router and Dealer (a queue),
 * XSubscriber and XPublisher (a forwarder), Pull and Push (a streamer). `zmq_proxy`, `zmq_proxy_steerable`.
 *
 * @example A forwarder that publishers and subscribers meet at
 * ```ts
 * import { Proxy, Publisher, Subscriber, XPublisher, XSubscriber } from "@wasmq/wasmq";
 *
 * const front = new XSubscriber();
 * await front.bind("tcp://127.0.0.1:*");
 * const back = new XPublisher();
 * await back.bind("tcp://127.0.0.1:*");
 * const proxy = new Proxy(front, back);
 * const running = proxy.run();
 *
 * const publisher = new Publisher();
 * publisher.connect(front.lastEndpoint!);
 * const subscriber = new Subscriber();
 * subscriber.connect(back.lastEndpoint!);
 * subscriber.subscribe("a");
 * while (publisher.topicsCount === 0) await new Promise((resolve) => setTimeout(resolve, 1));
 * await publisher.send("a message");
 * console.log(String(await subscriber.receive())); // "a message"
 *
 * proxy.terminate();
 * await running;
 * await publisher.close();
 * await subscriber.close();
 * ```
 */
export class Proxy<F extends Socket = Socket, B extends Socket = Socket> {
  /** The socket whose peers are clients, publishers or producers. */
  readonly frontEnd: F;
  /** The socket whose peers are workers, subscribers or consumers. */
  readonly backEnd: B;
  /** The socket that gets a copy of every message, or undefined. It is not closed with the others. */
  readonly capture: Socket | undefined;
  readonly #forth: Lane;
  readonly #back: Lane | undefined;
  #state: "new" | "running" | "paused" | "ended" = "new";
  #pumping = false;
  #again = false;
  /** Waits for the event loop to come round before it goes on. */
  #resting = false;
  #ended: () => void = () => {};

  /**
   * Makes a proxy, which does nothing before `run`.
   *
   * @param frontEnd One socket.
   * @param backEnd The other; may be the same, whose messages then go back to its peers.
   * @param capture Gets a copy of every message, if it is given: a Publisher, Push, Dealer or Pair. One that waits for
   * room, as a Push does, makes the proxy wait.
   * @throws {TypeError} `EINVAL` for what is not a socket.
   */
  constructor(frontEnd: F, backEnd: B, capture?: Socket) {
    for (
      const socket of capture === undefined ? [frontEnd, backEnd] : [frontEnd, backEnd, capture]
    ) {
      if (socket instanceof Socket) continue;
      throw withCode(
        new TypeError("A Proxy is made of sockets: frontEnd, backEnd and capture"),
        "EINVAL",
      );
    }
    this.frontEnd = frontEnd;
    this.backEnd = backEnd;
    this.capture = capture;
    const front = engineOf(frontEnd);
    const back = engineOf(backEnd);
    const tap = capture === undefined ? undefined : engineOf(capture);
    this.#forth = new Lane(front, back, tap);
    this.#back = front === back ? undefined : new Lane(back, front, tap);
  }

  /** What has gone through so far. `ZMQ_PROXY_STATISTICS`. */
  get statistics(): ProxyStatistics {
    const back = this.#back ?? this.#forth;
    return {
      frontEnd: countsOf(this.#forth.taken, back.given),
      backEnd: countsOf(back.taken, this.#forth.given),
    };
  }

  /**
   * Moves messages until `terminate` is called or one of the sockets is closed; resolves then, with the sockets closed.
   * Nobody else can send or receive on them meanwhile.
   *
   * @throws {StateError} Rejects with `EBUSY` when it runs already or a socket is in use, `EBADF` when one is closed,
   * `EINVAL` when one is neither bound nor connected.
   */
  async run(): Promise<void> {
    if (this.#state !== "new") {
      throw new StateError(
        this.#state === "ended" ? "EBADF" : "EBUSY",
        this.#state === "ended" ? "The proxy has ended" : "The proxy is running already",
      );
    }
    const lent = [...this.#sockets(), ...this.capture === undefined ? [] : [this.capture]];
    for (const socket of lent) {
      engineOf(socket).assertOpen();
      if (engineOf(socket).attached) continue;
      throw new StateError("EINVAL", `${this.#nameOf(socket)} socket must be bound or connected`);
    }
    for (const [index, socket] of lent.entries()) {
      try {
        engineOf(socket).lend(this.#wake);
      } catch (error) {
        for (const other of lent.slice(0, index)) engineOf(other).giveBack(this.#wake);
        throw error;
      }
    }
    this.#state = "running";
    const { keepAlive } = this.#forth.around;
    keepAlive.acquire();
    const ended = new Promise<void>((resolve) => this.#ended = resolve);
    this.#wake();
    await ended;
    keepAlive.release();
  }

  #sockets(): Socket[] {
    return this.#back === undefined ? [this.frontEnd] : [this.frontEnd, this.backEnd];
  }

  #nameOf(socket: Socket): string {
    return socket === this.capture
      ? "Capture"
      : socket === this.frontEnd
      ? "Front-end"
      : "Back-end";
  }

  /** Stops moving messages; they wait where they are. `EBADF` when it does not run. `ZMQ_PROXY_PAUSE`. */
  pause(): void {
    this.#assertRunning();
    this.#state = "paused";
  }

  /** Goes on after `pause`. `EBADF` when it does not run. `ZMQ_PROXY_RESUME`. */
  resume(): void {
    this.#assertRunning();
    this.#state = "running";
    this.#wake();
  }

  /** Ends `run`, and closes both sockets. `EBADF` when it does not run. `ZMQ_PROXY_TERMINATE`. */
  terminate(): void {
    this.#assertRunning();
    this.#end();
  }

  #assertRunning(): void {
    if (this.#state === "running" || this.#state === "paused") return;
    throw new StateError("EBADF", "The proxy is not running");
  }

  #end(): void {
    this.#state = "ended";
    if (this.capture !== undefined) engineOf(this.capture).giveBack(this.#wake);
    for (const socket of this.#sockets()) {
      engineOf(socket).giveBack(this.#wake);
      void socket.close();
    }
    this.#ended();
  }

  /** Moves what can be moved. Moving may make room, or read, which calls this again. */
  #wake = (): void => {
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#again && this.#state === "running" && !this.#resting) {
      this.#again = false;
      this.#pump();
    }
    this.#pumping = false;
    if (this.#state !== "ended" && this.#sockets().some((socket) => socket.closed)) this.#end();
  };

  #pump(): void {
    const { around } = this.#forth;
    let moved = true;
    while (moved && this.#state === "running") {
      moved = this.#forth.move();
      if (this.#back?.move()) moved = true;
      if (!around.pace.due()) continue;
      this.#resting = true;
      void around.pace.turn().then(this.#goOn);
      return;
    }
  }

  #goOn = (): void => {
    this.#resting = false;
    this.#wake();
  };
}

function countsOf(taken: LaneCounts, given: LaneCounts): ProxyCounts {
  return {
    messagesIn: taken.messages,
    bytesIn: taken.octets,
    messagesOut: given.messages,
    bytesOut: given.octets,
  };
}
