// One request of a client.

import { type Frame, ZmqError } from "../../../mod.ts";
import { type Body, framesOf, octetsOf } from "../base/octets.ts";
import type { Line } from "./line.ts";
import { type Dialect, EMPTY } from "./protocol.ts";

type Message = ReturnType<typeof framesOf>;

/** What it leads to. */
export interface AskResult {
  /** A part of the reply; `request` does without them. */
  part?(body: Frame[]): void;
  done(body: Frame[]): void;
  fail(error: unknown): void;
}

export class Ask {
  readonly service: string;
  readonly name: Uint8Array;
  /** A frame with its number, for a trunk, then what is asked. */
  readonly message: (Message[number])[];
  readonly number: number;
  readonly result: AskResult;
  readonly timeout: number;
  /** Further tries. */
  left: number;
  tries = 1;
  /** When the present try is over. */
  deadline: number;
  /** The lane that it has for itself. */
  lane: Line | undefined = undefined;
  /** Parts of the reply have come: another try would repeat them. */
  begun = false;
  /** Ends what listens to the user's signal. */
  forget: (() => void) | undefined = undefined;

  constructor(
    dialect: Dialect,
    number: number,
    service: string,
    name: Uint8Array,
    body: Body,
    result: AskResult,
    timeout: number,
    retries: number,
    time: number,
  ) {
    this.service = service;
    this.name = name;
    const [first, second] = dialect.request;
    const frames = framesOf(body);
    const message: (Message[number])[] = [numberFrame(number), first, second, name];
    if (frames.length === 0) message.push(EMPTY);
    for (let i = 0; i < frames.length; i++) message.push(frames[i]);
    this.message = message;
    this.number = number;
    this.result = result;
    this.timeout = timeout;
    this.left = retries;
    this.deadline = time + timeout;
  }

  /** Why it failed, when nothing came. */
  late(): ZmqError {
    const tries = this.tries === 1 ? "one try" : `${this.tries} tries`;
    const why = this.begun ? "the reply broke off" : `no reply after ${tries}`;
    return new ZmqError(
      "ETIMEDOUT",
      `Service ${
        JSON.stringify(this.service)
      }: ${why} of ${this.timeout} ms; is its broker up, and has it a worker?`,
    );
  }
}

/** The number of a request as a frame. */
export function numberFrame(number: number): Uint8Array {
  const frame = new Uint8Array(4);
  frame[0] = number >>> 24;
  frame[1] = number >>> 16;
  frame[2] = number >>> 8;
  frame[3] = number;
  return frame;
}

/** The number that a frame is; -1 when it is none. */
export function numberOf(frame: Uint8Array): number {
  if (frame.length !== 4) return -1;
  return ((frame[0] << 24) | (frame[1] << 16) | (frame[2] << 8) | frame[3]) >>> 0;
}

const MOST_NAMES = 1000;

/** Names of services that were used, as octets: most clients use few. */
export class Names {
  readonly #known: Map<string, Uint8Array> = new Map();

  of(name: string): Uint8Array | undefined {
    return this.#known.get(name);
  }

  add(name: string): Uint8Array {
    if (this.#known.size >= MOST_NAMES) this.#known.clear();
    const octets = octetsOf(name);
    this.#known.set(name, octets);
    return octets;
  }
}
