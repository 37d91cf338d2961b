// An outbox as plainly as it can be written: a list of messages that wait, a list in flight, and what left.

import { fail } from "@std/assert";
import { concat, sameOctets } from "../../_util/octets.ts";
import { COMMAND, encodeFrame, encodeMessage } from "./frame_model.ts";

/** One message on its way, or a command, which has no frames. */
export interface ModelMessage {
  readonly frames: readonly Uint8Array[];
  readonly wire: Uint8Array;
}

/** What `Outbox` must do, without rings, memory or speed. */
export class OutboxModel {
  waiting: ModelMessage[] = [];
  flight: ModelMessage[] = [];
  /** Octets of the flight that were handed over. */
  written = 0;
  /** The messages that left whole, in the order in which they did. */
  readonly sent: ModelMessage[] = [];

  get bytes(): number {
    return sizeOf(this.waiting);
  }

  /** The octets of the flight that were not handed over yet. */
  get rest(): Uint8Array {
    return concat(...this.flight.map(({ wire }) => wire)).subarray(this.written);
  }

  append(frames: readonly Uint8Array[]): void {
    this.waiting.push({ frames, wire: encodeMessage(frames) });
  }

  appendCommand(body: Uint8Array): void {
    this.waiting.push({ frames: [], wire: encodeFrame(COMMAND, body) });
  }

  /** What waits is dropped; the flight goes on. */
  clear(): void {
    this.waiting = [];
  }

  /** So many messages were put in flight. The model cannot know where a ring ends, but all else about it. */
  take(count: number, limit: number): void {
    this.flight = this.waiting.splice(0, count);
    this.written = 0;
    if (this.flight.length !== count) fail(`${count} messages were taken, but fewer waited`);
    const before = sizeOf(this.flight.slice(0, -1));
    if (count > 0 && before >= limit && before > 0) {
      fail(`${before} octets reach the limit ${limit}, yet another message was taken`);
    }
  }

  /** True when the flight is over. */
  advance(count: number): boolean {
    this.written += count;
    if (this.written < sizeOf(this.flight)) return false;
    this.sent.push(...this.flight);
    this.flight = [];
    return true;
  }

  /** Messages that left whole are sent; the others wait again, whole. */
  rewind(): void {
    let left = this.written;
    while (this.flight.length > 0 && this.flight[0].wire.length <= left) {
      left -= this.flight[0].wire.length;
      this.sent.push(this.flight.shift()!);
    }
    this.waiting.unshift(...this.flight);
    this.flight = [];
    this.written = 0;
  }

  /** Fails unless these are the frames of all that waits, which then waits no longer. */
  drain(messages: readonly (readonly Uint8Array[])[]): void {
    const waiting = this.waiting.filter(({ frames }) => frames.length > 0);
    const same = messages.length === waiting.length &&
      waiting.every(({ frames }, i) =>
        frames.length === messages[i].length &&
        frames.every((frame, j) => sameOctets(frame, messages[i][j]))
      );
    if (!same) fail("What was taken out is not what waited");
    this.waiting = [];
  }
}

function sizeOf(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, { wire }) => sum + wire.length, 0);
}
