// A publisher's or a subscriber's pipe as its peer sees it: requests come and go in either form, connections are lost.

import { defaultOptions } from "../../src/option_values.ts";
import type { OptionValues } from "../../src/options.ts";
import type { Crowd } from "../../src/routing/distributor.ts";
import type { Pattern } from "../../src/routing/pattern.ts";
import type { Pipe } from "../../src/routing/pipe.ts";
import { decodeCommand } from "../../src/wire/command.ts";
import { CANCEL, encodeMessageForm, SUBSCRIBE } from "../../src/wire/subscription.ts";
import { readStream } from "../core/models/frame_model.ts";
import { flush } from "../core/models/outbox_twins.ts";
import { textOf, utf8 } from "./bytes.ts";
import { type Body, PipeEnd } from "./pipe_end.ts";

/** All options, some of them given. */
export function optionsWith(options: Partial<OptionValues> = {}): OptionValues {
  return { ...defaultOptions(), ...options };
}

/** Writes down for whom a publisher might wait. */
export class FakeCrowd implements Crowd {
  open = true;
  readonly added: Pipe[] = [];
  /** Of how many peers they were. */
  readonly of: number[] = [];

  add(pipe: Pipe, peers: number): void {
    this.added.push(pipe);
    this.of.push(peers);
  }
}

function octetsOf(body: Body): Uint8Array {
  return typeof body === "string" ? utf8(body) : body;
}

/** The other end of a pipe that a PUB, SUB, XPUB or XSUB has. */
export class TopicEnd extends PipeEnd {
  readonly #topicPattern: Pattern;
  readonly #minor: number;
  /** How often the link was told that it may read again, and that something was appended. */
  resumed = 0;
  appended = 0;

  /** A pipe that is connected at once, to a peer of ZMTP 3 with this minor version. */
  constructor(pattern: Pattern, options: OptionValues, minor = 1) {
    super(pattern, options);
    this.#topicPattern = pattern;
    this.#minor = minor;
    this.connect();
  }

  /** There is a connection, the first or another one. */
  connect(minor: number = this.#minor): this {
    const { pipe } = this;
    pipe.protocol = minor === 0 ? "3.0" : "3.1";
    pipe.link = {
      appended: () => void this.appended++,
      resume: () => void this.resumed++,
      refuse: (reason) => {
        this.refusal = reason;
        this.lose();
      },
    };
    this.#topicPattern.linked?.(pipe);
    return this;
  }

  /** The connection breaks. */
  lose(): this {
    const { pipe } = this;
    pipe.link = undefined;
    pipe.paused = false;
    pipe.outbox.rewind();
    this.#topicPattern.unlinked?.(pipe);
    return this;
  }

  /** The peer asks for topics, in the form that its version of ZMTP has. */
  subscribe(...topics: Body[]): this {
    for (const topic of topics) this.#request(SUBSCRIBE, octetsOf(topic));
    return this;
  }

  unsubscribe(...topics: Body[]): this {
    for (const topic of topics) this.#request(CANCEL, octetsOf(topic));
    return this;
  }

  #request(kind: number, topic: Uint8Array): void {
    if (this.pipe.protocol !== "3.1") return void this.say(encodeMessageForm(kind, topic));
    const name = kind === SUBSCRIBE ? "SUBSCRIBE" : "CANCEL";
    const refusal = this.#topicPattern.command?.(this.pipe, name, topic.slice());
    if (refusal !== undefined) this.pipe.link?.refuse(refusal);
  }

  /**
   * What reached the peer since the last call, in order: `+topic` and `-topic` for commands, messages with their frames
   * joined by `|`.
   */
  told(): string[] {
    const { messages, commands } = readStream(flush(this.pipe.outbox));
    const told: string[] = [];
    for (let i = 0; i <= messages.length; i++) {
      for (const { after, body } of commands) {
        if (after !== i) continue;
        const { name, data } = decodeCommand(body);
        told.push(`${name === "SUBSCRIBE" ? "+" : "-"}${textOf(data)}`);
      }
      if (i < messages.length) told.push(messages[i].map(textOf).join("|"));
    }
    return told;
  }
}

/** A request as an XPUB's user receives it: `+topic` or `-topic`; another message with its frames joined by `|`. */
export function received(pattern: Pattern): string[] {
  const all: string[] = [];
  for (let frames = pattern.receive(); frames !== undefined; frames = pattern.receive()) {
    const [first] = frames;
    const request = frames.length === 1 && first.length > 0 && first[0] <= 1;
    all.push(
      request
        ? `${first[0] === SUBSCRIBE ? "+" : "-"}${textOf(first.subarray(1))}`
        : frames.map(textOf).join("|"),
    );
  }
  return all;
}
