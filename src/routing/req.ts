// REQ (RFC 28): a request, then its reply, in turn. On the wire an empty frame stands before the user's frames, and with
// `correlate` the request's number before that.

import { StateError, type ZmqError } from "../errors.ts";
import { type Frame, framesOf, type Outgoing } from "../message.ts";
import type { OptionValues } from "../options.ts";
import { FairQueue } from "./fair_queue.ts";
import { LoadBalancer } from "./load_balancer.ts";
import type { Pattern, Queued } from "./pattern.ts";
import type { Pipe } from "./pipe.ts";

const DELIMITER = new Uint8Array(0);

export class ReqPattern implements Pattern {
  readonly #options: OptionValues;
  readonly #peers: LoadBalancer = new LoadBalancer();
  readonly #replies: FairQueue = new FairQueue();
  #awaiting = false;
  /** Where the request went; undefined once that peer is gone, and then any peer may answer, as in libzmq. */
  #replier: Pipe | undefined;
  #number: Uint8Array = DELIMITER;
  #count: number = crypto.getRandomValues(new Uint32Array(1))[0];

  constructor(options: OptionValues) {
    this.#options = options;
  }

  attach(pipe: Pipe): undefined {
    this.#peers.add(pipe);
  }

  identify(): undefined {}

  detach(pipe: Pipe): void {
    this.#peers.remove(pipe);
    if (pipe === this.#replier) this.#replier = undefined;
  }

  readable(pipe: Pipe): void {
    this.#replies.activate(pipe);
  }

  writable(pipe: Pipe): void {
    this.#peers.activate(pipe);
  }

  refuse(use: "send" | "receive", queued: Queued): ZmqError | undefined {
    const open = (this.#awaiting ? 1 : 0) + queued.sends - queued.receives;
    if (use === "receive" && open < 1) {
      return new StateError(
        "EFSM",
        "Operation cannot be accomplished in current state: send a request before receive",
      );
    }
    if (use === "send" && open > 0 && !this.#options.relaxed) {
      return new StateError(
        "EFSM",
        "Operation cannot be accomplished in current state: the last request has no reply yet; receive it first, or set relaxed",
      );
    }
    return undefined;
  }

  send(message: Outgoing): boolean {
    if (!this.#peers.writable || (this.#awaiting && !this.#options.relaxed)) return false;
    if (this.#awaiting) this.#giveUp();
    const frames = framesOf(message);
    if (this.#options.correlate) {
      this.#number = new Uint8Array(4);
      new DataView(this.#number.buffer).setUint32(0, this.#count++);
      this.#replier = this.#peers.send([this.#number, DELIMITER, ...frames]);
    } else {
      this.#number = DELIMITER;
      this.#replier = this.#peers.send([DELIMITER, ...frames]);
    }
    if (this.#replier === undefined) return false;
    // What came before belongs to no request any more.
    while (this.#replies.receive() !== undefined);
    this.#awaiting = true;
    return true;
  }

  /** Without numbers, only the end of its connection keeps a late reply from passing for the next one's; so does libzmq. */
  #giveUp(): void {
    this.#awaiting = false;
    if (this.#options.correlate) return;
    this.#replier?.abandon(new StateError("EFSM", "The request was given up for the next one"));
  }

  /** The request goes to another peer, envelope and all. */
  resend(frames: Uint8Array[]): boolean {
    if (!this.#awaiting) return true;
    const replier = this.#peers.send(frames);
    if (replier === undefined) return false;
    this.#replier = replier;
    return true;
  }

  receive(): Frame[] | undefined {
    while (this.#awaiting) {
      const pipe = this.#replies.peek();
      const frames = this.#replies.receive();
      if (frames === undefined) return undefined;
      if (this.#replier !== undefined && pipe !== this.#replier) continue;
      const reply = this.#strip(frames);
      if (reply === undefined) continue;
      this.#awaiting = false;
      this.#replier = undefined;
      return reply;
    }
    return undefined;
  }

  /** The reply's own frames; undefined when it does not answer the request. */
  #strip(frames: Frame[]): Frame[] | undefined {
    const number = this.#number;
    const numbered = number.length > 0;
    if (
      numbered &&
      !(frames[0].length === number.length && number.every((octet, i) => octet === frames[0][i]))
    ) {
      return undefined;
    }
    const start = numbered ? 1 : 0;
    if (frames.length < start + 2 || frames[start].length > 0) return undefined;
    return frames.slice(start + 1);
  }

  get source(): Pipe | undefined {
    return this.#replies.last;
  }

  get canSend(): boolean {
    return (!this.#awaiting || this.#options.relaxed) && this.#peers.writable;
  }

  get canReceive(): boolean {
    return this.#awaiting && this.#replies.readable;
  }
}
