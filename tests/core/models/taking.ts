// Feeds a Receiver as an unkind stream would: whatever is lent to it is filled with rubbish before and after.

import { codeOf } from "../../../src/errors.ts";
import { Inbox } from "../../../src/core/inbox.ts";
import { CoreMemory } from "../../../src/core/memory.ts";
import { type Filter, Receiver } from "../../../src/core/receiver.ts";

/** The most that one read brings, as the default high-water mark has it. */
export const LARGEST_READ: number = 256 * 1024;

/** A receiver with its inbox, and everything that came out of them. */
export class Taking {
  readonly inbox: Inbox;
  readonly memory: CoreMemory;
  readonly receiver: Receiver;
  /** What was received, as it is and as it was at that moment. */
  readonly messages: Uint8Array[][] = [];
  readonly copies: Uint8Array[][] = [];
  readonly commands: { after: number; body: Uint8Array }[] = [];
  fault: string | undefined;

  constructor(
    limit = -1,
    largest: number = LARGEST_READ,
    memory: CoreMemory = new CoreMemory(),
    inbox: Inbox = new Inbox(),
    filter?: Filter,
  ) {
    this.memory = memory;
    this.inbox = inbox;
    this.receiver = new Receiver(
      memory,
      this.inbox,
      {
        command: (body) => {
          const after = this.messages.length + this.inbox.messages;
          this.commands.push({ after, body: body.slice() });
        },
      },
      { frame: limit, parts: 0, message: -1 },
      largest,
      filter,
    );
  }

  /** Puts octets where the receiver wants them, as if read from a stream; stops at a fault. */
  read(octets: Uint8Array): void {
    for (let at = 0; at < octets.length && this.fault === undefined;) {
      const target = this.receiver.target();
      const piece = octets.subarray(at, at + target.length);
      target.set(piece);
      try {
        this.receiver.filled(piece.length);
      } catch (error) {
        this.fault = codeOf(error);
        return;
      }
      // A stream may write further than it says in the end.
      this.receiver.target().subarray(0, 300).fill(0xee);
      at += piece.length;
    }
  }

  /** Takes up to `count` messages out of the inbox. */
  take(count: number = Infinity): void {
    for (let i = 0; i < count && this.inbox.messages > 0; i++) {
      const message = this.inbox.shift();
      this.messages.push(message);
      this.copies.push(message.map((frame) => frame.slice()));
    }
  }
}
