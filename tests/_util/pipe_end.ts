// Pipes for the tests of routing: real queues, with the test in the place of the connection and of the peer.

import { CoreMemory } from "../../src/core/memory.ts";
import { defaultOptions } from "../../src/option_values.ts";
import type { OptionValues } from "../../src/options.ts";
import { WirePipe } from "../../src/routing/pipe.ts";
import type { Pattern } from "../../src/routing/pattern.ts";
import { encodeMessage } from "../core/models/frame_model.ts";
import { textOf, utf8 } from "./bytes.ts";

/** The memory of all pipes here, for patterns that need it. */
export const memory: CoreMemory = new CoreMemory();

/** Octets or text. */
export type Body = Uint8Array | string;

/** A pipe as its peer sees it. */
export class PipeEnd {
  readonly pipe: WirePipe;
  /** Why the connection was ended, if it was. */
  refusal: Error | undefined;
  readonly #pattern: Pattern | undefined;

  /** Attaches the pipe to `pattern`, if given. It has no connection: its high-water mark counts alone. */
  constructor(pattern?: Pattern, options: Partial<OptionValues> = {}, assignedId?: Uint8Array) {
    const values = { ...defaultOptions(), ...options };
    this.pipe = new WirePipe(
      memory.outboxes,
      values,
      () => () => {},
      "tcp://127.0.0.1:1",
      assignedId,
    );
    this.#pattern = pattern;
    pattern?.attach(this.pipe);
  }

  /** The peer sends a message; the pattern is told. */
  say(...frames: Body[]): this {
    const bodies = frames.map((frame) => typeof frame === "string" ? utf8(frame) : frame);
    this.pipe.inbox.push(encodeMessage(bodies), 1);
    this.#pattern?.readable(this.pipe);
    return this;
  }

  /** What was routed to the peer since the last call. */
  heard(): string[][] {
    const messages = this.pipe.outbox.drain().map((frames) => frames.map(textOf));
    this.#pattern?.writable(this.pipe);
    return messages;
  }

  /** The connection to the peer stands. */
  online(): this {
    this.pipe.link = {
      appended() {},
      resume() {},
      refuse: (reason) => {
        this.refusal = reason;
      },
    };
    return this;
  }

  /** The peer is gone. */
  leave(): void {
    this.pipe.link = undefined;
    this.#pattern?.detach(this.pipe);
  }
}

/** A message as texts; undefined when there is none. */
export function texts(frames: readonly Uint8Array[] | undefined): string[] | undefined {
  return frames?.map(textOf);
}
