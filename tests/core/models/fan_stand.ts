// A fan-out with its peers beside their models: what each must have been sent, and whom the core has to name.

import { assertEquals } from "@std/assert";
import type { Core } from "../../../src/core/instance.ts";
import { FanOut } from "../../../src/core/fan_out.ts";
import { type Outgoing, toBytes } from "../../../src/message.ts";
import {
  FAN_ONE,
  FAN_OTHERS,
  FAN_SAME,
  FAN_TOPIC,
  LIST_ACTIVE,
  PUBLISH_ALL_OR_NONE,
  PUBLISH_INVERTED,
  PUBLISH_NAME_ALL,
} from "../../../wasm/layout.ts";
import { encodeMessage } from "./frame_model.ts";
import { REFERENCE, Twins } from "./outbox_twins.ts";
import { type Change, PeersModel } from "./topic_model.ts";

/** What the core calls the changes. */
export const CHANGES: Readonly<Record<number, Change>> = {
  [FAN_SAME]: "same",
  [FAN_OTHERS]: "others",
  [FAN_ONE]: "one",
  [FAN_TOPIC]: "topic",
};

/** How a message is published. */
export interface Publishing {
  readonly mark?: number;
  readonly batch?: number;
  readonly flags?: number;
  readonly only?: number;
}

/** Peers, by number, with the fan-out that they are in. */
export class FanStand {
  readonly core: Core;
  readonly fan: FanOut;
  readonly peers: Twins[];
  readonly model: PeersModel<Twins> = new PeersModel();
  /** Messages that each peer had to do without. */
  readonly dropped: Map<Twins, number> = new Map();

  constructor(core: Core, peers: number) {
    this.core = core;
    this.fan = new FanOut(core);
    this.peers = Array.from({ length: peers }, () => new Twins(core));
    for (const peer of this.peers) this.fan.join(peer.box);
  }

  subscribe(peer: number, topic: Uint8Array): void {
    const change = this.fan.add(LIST_ACTIVE, this.peers[peer].box, topic);
    assertEquals(CHANGES[change], this.model.add(this.peers[peer], topic));
  }

  unsubscribe(peer: number, topic: Uint8Array): void {
    const change = this.fan.remove(LIST_ACTIVE, this.peers[peer].box, topic);
    assertEquals(CHANGES[change], this.model.remove(this.peers[peer], topic));
  }

  /** The numbers of the peers in the list that begins with `first`, sorted. */
  named(first: number): number[] {
    const numbers: number[] = [];
    for (let box = first; box !== 0; box = this.fan.after(box)) {
      numbers.push(this.peers.findIndex((peer) => peer.box.box === box));
    }
    return numbers.sort((a, b) => a - b);
  }

  /** Publishes in both worlds, and compares; undefined when the message was kept from everybody. */
  publish(
    message: Outgoing,
    { mark = 0, batch = 0, flags = 0, only }: Publishing = {},
  ): number[] | undefined {
    const parts = (Array.isArray(message) ? message : [message]) as (string | Uint8Array)[];
    const frames = parts.map(toBytes);
    const first = this.fan.publish(
      message,
      only === undefined ? undefined : this.peers[only].box,
      mark,
      batch,
      flags,
    );
    const matching = this.model.matching(frames[0]);
    const inverted = (flags & PUBLISH_INVERTED) !== 0;
    const targets = this.peers.filter((peer, i) =>
      matching.has(peer) !== inverted && (only === undefined || only === i)
    );
    const isFull = ({ model }: Twins): boolean =>
      mark !== 0 && model.waiting.length >= mark && model.bytes >= batch;
    if (flags & PUBLISH_ALL_OR_NONE && targets.some(isFull)) {
      assertEquals(first, undefined);
      this.check();
      return undefined;
    }
    const size = encodeMessage(frames).length;
    const long = frames.filter(({ length }) => length >= REFERENCE);
    const expected: number[] = [];
    for (const peer of targets) {
      if (isFull(peer)) {
        this.dropped.set(peer, (this.dropped.get(peer) ?? 0) + 1);
        continue;
      }
      const before = peer.model.bytes;
      peer.model.append(frames);
      if (
        peer.model.waiting.length === 1 || (before < batch && before + size >= batch) ||
        peer.model.waiting.length === mark || long.length > 0 || flags & PUBLISH_NAME_ALL
      ) {
        expected.push(this.peers.indexOf(peer));
      }
    }
    const named = this.named(first!);
    assertEquals(named, expected);
    if (long.length > 0) { for (const i of named) this.peers[i].box.share(this.fan.bodies); }
    this.check();
    return named;
  }

  check(): void {
    for (const peer of this.peers) {
      peer.check();
      assertEquals(peer.box.dropped, this.dropped.get(peer) ?? 0);
    }
    assertEquals(this.fan.dropped, [...this.dropped.values()].reduce((sum, n) => sum + n, 0));
  }

  /** Everybody leaves, and all memory is given back. */
  end(): void {
    for (const peer of this.peers) {
      peer.finish();
      while (this.fan.pop(LIST_ACTIVE, peer.box) !== undefined);
      this.fan.leave(peer.box);
      peer.box.free();
    }
    this.fan.free();
  }
}
