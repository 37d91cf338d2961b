// Two links joined by a wire in memory, on a schedule: who sends, how far octets get, who takes how many, and who ends it.

import { ZmqError } from "../../src/errors.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { LinkStand } from "../_util/link_stand.ts";
import { microtasks } from "../_util/manual_clock.ts";
import { concat } from "../_util/octets.ts";
import { moment } from "./moment.ts";
import type { Limits } from "./reading.ts";
import { type MechanismName, SecureHost } from "./stands.ts";
import { type Edit, EditedWire } from "./wire.ts";

/** What a stream takes at once; 0 stands for no limit. */
export interface Pressure {
  readonly room: number;
  readonly gulp: number;
  readonly late: boolean;
}

/** One side. */
export interface SideInput {
  readonly type: SocketType;
  readonly id: string;
  readonly limits: Limits;
  readonly marks: readonly number[];
  readonly heartbeat: number;
  readonly probe: boolean;
  readonly pressure: Pressure;
  /** Of what it sends. */
  readonly edits: readonly Edit[];
}

/** What may happen. */
export type Step =
  | { readonly kind: "send"; readonly side: number; readonly frames: readonly Uint8Array[] }
  | { readonly kind: "burst"; readonly side: number; readonly count: number }
  | {
    readonly kind: "pump" | "drain";
    readonly side: number;
    readonly size: number;
    readonly cut: number;
  }
  | { readonly kind: "receive" | "finish" | "close" | "reset" | "end"; readonly side: number }
  | { readonly kind: "turn" }
  | { readonly kind: "pass"; readonly ms: number };

/** A schedule for two of them. */
export interface LinksInput {
  readonly mechanism: MechanismName;
  readonly sides: readonly SideInput[];
  readonly steps: readonly Step[];
  /** Another connection follows, over an honest wire. */
  readonly again?: boolean;
}

/** No end of octets. */
export const ANY = 1e9;
/** More than any schedule needs to come to rest. */
const ROUNDS = 5_000;

/** One end, its stream, and what went over that. */
export class End {
  readonly stand: LinkStand;
  readonly input: SideInput;
  readonly #wire: EditedWire;
  /** Messages that were appended, and what the peer was given. */
  readonly sent: Uint8Array[][] = [];
  readonly received: Uint8Array[][] = [];
  readonly written: Uint8Array[] = [];
  readonly delivered: Uint8Array[] = [];
  /** On its way to the peer. */
  #way: Uint8Array = new Uint8Array(0);
  /** The program ended it. */
  ended = false;

  /** With `before`, the next connection of that one's pipe. */
  constructor(input: SideInput, mechanism: MechanismName, asServer: boolean, before?: End) {
    const { limits, marks: [send, receive], pressure } = input;
    const host = before?.stand.host ?? new SecureHost(
      input.type,
      {
        routingId: input.id === "" ? null : input.id,
        maxMessageSize: limits.frame,
        maxMessageParts: limits.parts,
        maxMultipartSize: limits.message,
        sendHighWaterMark: send,
        receiveHighWaterMark: receive,
        heartbeatInterval: input.heartbeat,
        probeRouter: input.probe,
      },
      mechanism,
      asServer,
    );
    this.input = input;
    this.#wire = new EditedWire(input.edits);
    this.stand = new LinkStand({
      host,
      ...(before && { pipe: before.stand.pipe }),
      stream: {
        room: pressure.room || Infinity,
        gulp: pressure.gulp || Infinity,
        late: pressure.late,
      },
    });
  }

  /** All that it has to say: its own words first. */
  get said(): readonly Uint8Array[][] {
    return this.input.probe ? [[new Uint8Array(0)], ...this.sent] : this.sent;
  }

  get honest(): boolean {
    return this.#wire.honest;
  }

  /** The link has closed its stream, or given it up. */
  get closed(): boolean {
    const { calls } = this.stand.stream;
    return calls.includes("close") || calls.includes("abort");
  }

  send(frames: readonly Uint8Array[]): void {
    const { pipe, stream } = this.stand;
    if (pipe.full) return;
    const message = frames.length === 1 ? frames[0] : [...frames];
    if (pipe.send(message)) this.sent.push([...frames]);
    stream.checkBorrowed();
  }

  receive(): void {
    const { pipe } = this.stand;
    for (let frames = pipe.receive(); frames; frames = pipe.receive()) this.received.push(frames);
  }

  /** What the stream took is on its way. */
  collect(): void {
    const octets = this.stand.stream.takeOutput();
    if (octets.length === 0) return;
    this.written.push(octets);
    this.#way = concat(this.#way, this.#wire.pass(octets));
  }

  /** Moves octets to the other end; how many. */
  pump(to: End, size: number, cut: number): number {
    this.collect();
    const { stream } = to.stand;
    let moved = 0;
    while (this.#way.length > 0 && moved < size) {
      if (stream.over || to.closed || stream.paused) break;
      const piece = this.#way.subarray(0, Math.min(cut, size - moved, 70_000));
      this.#way = this.#way.subarray(piece.length);
      to.delivered.push(piece.slice());
      stream.deliver(piece);
      moved += piece.length;
    }
    stream.checkBorrowed();
    return moved;
  }

  get onTheWay(): number {
    return this.#way.length;
  }

  end(error?: unknown): void {
    if (!this.stand.stream.over) this.stand.stream.end(error);
  }
}

/** Two ends, and a wire between them. */
export class Pair {
  readonly ends: readonly End[];
  readonly #asynchronous: boolean;

  constructor({ mechanism, sides }: LinksInput, before?: Pair) {
    this.ends = sides.map((side, i) => new End(side, mechanism, i === 0, before?.ends[i]));
    this.#asynchronous = mechanism !== "NULL";
    for (const { stand } of this.ends) stand.link.start();
  }

  play(step: Step): void {
    if (step.kind === "turn" || step.kind === "pass") {
      for (const { stand: { host: { clock } } } of this.ends) {
        if (step.kind === "turn") clock.endTurn();
        else clock.advance(step.ms);
      }
      return;
    }
    const end = this.ends[step.side];
    const { stand: { link, stream } } = end;
    switch (step.kind) {
      case "send":
        return end.send(step.frames);
      case "burst":
        for (let i = 0; i < step.count; i++) end.send([new Uint8Array(i % 3)]);
        return;
      case "pump":
        return void end.pump(this.ends[1 - step.side], step.size, step.cut);
      case "drain":
        return stream.over || end.closed ? undefined : stream.drain(step.size);
      case "receive":
        return end.receive();
      case "end":
        return end.end();
      case "reset":
        return end.end(new ZmqError("ECONNRESET", "the wire broke"));
    }
    end.ended = true;
    if (!stream.over) link[step.kind]();
  }

  get #computing(): boolean {
    return this.ends.some(({ stand: { host } }) =>
      host instanceof SecureHost && host.computing > 0
    );
  }

  /** Everything moves until nothing does any more. */
  async rest(): Promise<void> {
    let quiet = 0;
    for (let round = 0; quiet < 3; round++) {
      if (round > ROUNDS) throw new Error("the links do not come to rest");
      let moved = 0;
      for (const [i, end] of this.ends.entries()) {
        const { stand: { stream, host } } = end;
        if (!stream.over && stream.busy && !stream.calls.includes("abort")) {
          stream.drain(ANY);
          stream.flow();
        }
        end.receive();
        moved += end.pump(this.ends[1 - i], ANY, ANY);
        moved += host.clock.endTurn() ? 1 : 0;
        this.#close(i);
      }
      // What CURVE computes elsewhere takes real moments, what a handler answers does not.
      while (this.#computing) await moment();
      if (moved === 0 && this.#asynchronous) await microtasks();
      quiet = moved > 0 ? 0 : quiet + 1;
    }
  }

  /** What a real stream does once a side has closed or given up. */
  #close(i: number): void {
    const [end, other] = [this.ends[i], this.ends[1 - i]];
    const { stand: { stream } } = end;
    if (stream.over || !end.closed) return;
    if (!stream.calls.includes("abort")) {
      if (stream.busy || (end.onTheWay > 0 && !other.stand.stream.over && !other.closed)) return;
    }
    other.end();
    end.end();
  }

  finish(): void {
    for (const end of this.ends) {
      end.collect();
      end.end();
      end.receive();
    }
  }
}
