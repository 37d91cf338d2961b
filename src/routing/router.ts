// ROUTER (RFC 28): every peer has a routing id, which stands before each message that comes from it and picks the peer that
// a message goes to.

import { SendError, ZmqError } from "../errors.ts";
import { Frame, framesOf, type Outgoing, toBytes } from "../message.ts";
import type { OptionValues } from "../options.ts";
import { FairQueue } from "./fair_queue.ts";
import type { Pattern } from "./pattern.ts";
import type { Pipe } from "./pipe.ts";

export class RouterPattern implements Pattern {
  readonly #options: OptionValues;
  readonly #unroutable: () => void;
  readonly #messages: FairQueue = new FairQueue();
  readonly #peers: Map<string, Pipe> = new Map();
  #count: number = crypto.getRandomValues(new Uint32Array(1))[0];

  /** `unroutable` counts a message that is dropped because no peer has its routing id. */
  constructor(options: OptionValues, unroutable: () => void = () => {}) {
    this.#options = options;
    this.#unroutable = unroutable;
  }

  /** A pipe that `connect` gave a routing id can be sent to before its peer is there. */
  attach(pipe: Pipe): ZmqError | undefined {
    if (pipe.assignedId === undefined || pipe.routingFrame !== undefined) return undefined;
    return this.#register(pipe, pipe.assignedId);
  }

  identify(pipe: Pipe, routingId: Uint8Array): ZmqError | undefined {
    const known = pipe.routingFrame;
    const announced = pipe.assignedId ?? (routingId.length > 0 ? routingId : known);
    if (announced !== undefined && this.#peers.get(keyOf(announced)) === pipe) return undefined;
    // The peer of a `connect` may come back with another id, or find that its own was taken over.
    this.forget(pipe);
    return this.#register(pipe, announced ?? this.#generate());
  }

  #register(pipe: Pipe, id: Uint8Array): ZmqError | undefined {
    const key = keyOf(id);
    const holder = this.#peers.get(key);
    if (holder !== undefined && holder !== pipe) {
      if (!this.#options.handover) {
        return new ZmqError(
          "EADDRINUSE",
          `Another peer has the routing id ${describe(id)} already`,
          {
            address: pipe.address,
          },
        );
      }
      const reason = new ZmqError(
        "EADDRINUSE",
        `A new connection took the routing id ${describe(id)} over`,
        {
          address: pipe.address,
        },
      );
      this.forget(holder);
      holder.link?.refuse(reason);
    }
    pipe.routingFrame = new Frame(id);
    this.#peers.set(key, pipe);
    return undefined;
  }

  /** As libzmq: a zero octet and a 32-bit number. */
  #generate(): Uint8Array {
    const id = new Uint8Array(5);
    do {
      new DataView(id.buffer).setUint32(1, this.#count++);
    } while (this.#peers.has(keyOf(id)));
    return id;
  }

  detach(pipe: Pipe): void {
    this.forget(pipe);
    this.#messages.left(pipe);
  }

  /** The peer of a routing id. */
  protected find(id: Uint8Array): Pipe | undefined {
    return this.#peers.get(keyOf(id));
  }

  protected forget(pipe: Pipe): void {
    if (pipe.routingFrame === undefined) return;
    const key = keyOf(pipe.routingFrame);
    if (this.#peers.get(key) === pipe) this.#peers.delete(key);
  }

  readable(pipe: Pipe): void {
    this.#messages.activate(pipe);
  }

  writable(): void {}

  refuse(): undefined {}

  send(message: Outgoing): boolean {
    const [id, ...frames] = framesOf(message);
    const pipe = this.find(toBytes(id));
    const { mandatory } = this.#options;
    if (pipe === undefined) {
      if (!mandatory) {
        this.#unroutable();
        return true;
      }
      throw new SendError(
        "EHOSTUNREACH",
        `Host unreachable: no peer has the routing id ${
          describe(toBytes(id))
        }; the first frame of a message names its peer`,
      );
    }
    if (frames.length === 0) return true;
    if (!pipe.full && pipe.send(frames)) return true;
    if (mandatory) pipe.tellFull();
    else pipe.drop();
    return !mandatory;
  }

  receive(): Frame[] | undefined {
    const pipe = this.#messages.peek();
    const frames = this.#messages.receive();
    // A copy: the user may do with it as with any frame.
    frames?.unshift(new Frame(pipe!.routingFrame!));
    return frames;
  }

  get source(): Pipe | undefined {
    return this.#messages.last;
  }

  /** A ROUTER drops what it cannot route: it can always send, unless `mandatory` asks for a peer. */
  get canSend(): boolean {
    if (!this.#options.mandatory) return true;
    for (const pipe of this.#peers.values()) if (!pipe.full) return true;
    return false;
  }

  get canReceive(): boolean {
    return this.#messages.readable;
  }
}

function keyOf(id: Uint8Array): string {
  let key = "";
  for (let i = 0; i < id.length; i++) key += String.fromCharCode(id[i]);
  return key;
}

function describe(id: Uint8Array): string {
  const hex = Array.from(id, (octet) => octet.toString(16).padStart(2, "0")).join("");
  const printable = id.length > 0 && id.every((octet) => octet >= 0x20 && octet < 0x7f);
  return printable ? JSON.stringify(String.fromCharCode(...id)) : `0x${hex}`;
}
