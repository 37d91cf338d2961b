// Feeds a receiver as an unkind stream would: what is lent to it is filled with rubbish, and reads may be of any size.

import { assertEquals } from "@std/assert";
import { Inbox } from "../../src/core/inbox.ts";
import type { CoreMemory } from "../../src/core/memory.ts";
import { type Filter, Receiver } from "../../src/core/receiver.ts";
import { Zmtp1Reader } from "../../src/core/zmtp1.ts";
import type { Filling } from "../../src/octets.ts";
import { assertMessages, assertOctets } from "../_util/octets.ts";
import { encodeMessage } from "../core/models/frame_model.ts";
import type { Limits, Reading } from "./reading.ts";
import { checkProtocolError } from "./target.ts";

/** A size is believed on the peer's word up to here. */
const TRUSTED = 1024 * 1024 + 64;

const NEXT = Uint8Array.of(1, 2, 3);

/** A receiver with its inbox, and everything that came out of them. */
export class Feeding {
  readonly inbox: Inbox = new Inbox();
  readonly receiver: Receiver;
  readonly #incoming: Filling;
  readonly #largest: number;
  /** What was received, as it is and as it was at that moment. */
  readonly messages: Uint8Array[][] = [];
  readonly #copies: Uint8Array[][] = [];
  readonly commands: { after: number; body: Uint8Array }[] = [];
  fault: string | undefined;
  #came = 0;

  /** With `old`, of a connection of ZMTP 1.0. */
  constructor(
    memory: CoreMemory,
    limits: Limits,
    largest: number,
    filter?: Filter,
    old: boolean = false,
  ) {
    this.#largest = largest;
    const command = (body: Uint8Array): void => {
      const after = this.messages.length + this.inbox.messages;
      this.commands.push({ after, body: body.slice() });
    };
    this.receiver = new Receiver(memory, this.inbox, { command }, limits, largest, filter);
    this.#incoming = old ? new Zmtp1Reader(this.receiver) : this.receiver;
  }

  /** One read, or several where the receiver wants less; none after a fault. */
  read(octets: Uint8Array): void {
    for (let at = 0; at < octets.length && this.fault === undefined;) {
      const target = this.#incoming.target();
      if (target.length === 0) throw new Error("there is no room for a read");
      target.subarray(0, 300).fill(0xee);
      const piece = octets.subarray(at, at + target.length);
      target.set(piece);
      at += piece.length;
      this.#came += piece.length;
      try {
        this.#incoming.filled(piece.length);
      } catch (error) {
        this.fault = checkProtocolError(error).code;
        return;
      }
      const room = this.#incoming.target();
      if (room.length > Math.max(this.#largest, TRUSTED, 2 * this.#came)) {
        throw new Error(`${room.length} octets of memory after ${this.#came} came`);
      }
      room.subarray(0, 300).fill(0xee);
    }
  }

  /** Takes messages out of the inbox. */
  take(count: number = Infinity): void {
    for (let i = 0; i < count && this.inbox.messages > 0; i++) {
      const message = this.inbox.shift();
      this.messages.push(message);
      this.#copies.push(message.map((frame) => frame.slice()));
    }
  }

  /** Compares with what should have come; commands may be left out of account where some of the messages are. */
  compare(expected: Reading): void {
    this.take();
    assertEquals(this.fault, expected.fault);
    assertMessages(this.messages, expected.messages);
    // What was handed over stays as it is.
    assertMessages(this.messages, this.#copies);
    assertEquals(this.commands.length, expected.commands.length);
    for (const [i, { after, body }] of expected.commands.entries()) {
      assertOctets(this.commands[i].body, body, `command ${i}`);
      assertEquals(this.commands[i].after, after, `messages before command ${i}`);
    }
  }

  /** The connection is over. */
  end(): void {
    this.receiver.cut();
    assertEquals(this.inbox.messages, 0);
    // The next connection begins with a whole message.
    this.inbox.push(encodeMessage([NEXT]), 1);
    assertMessages([this.inbox.shift()], [[NEXT]]);
    this.receiver.free();
  }
}
