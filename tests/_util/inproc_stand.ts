// Inproc on a stand: two hosts that do what the test says, and the two ends of a connection between them.

import { assertEquals } from "@std/assert";
import type { InprocEndpoint } from "../../src/endpoint.ts";
import { InprocBinding, InprocConnection } from "../../src/link/inproc.ts";
import { InprocNames } from "../../src/link/inproc_names.ts";
import type { OptionValues } from "../../src/options.ts";
import type { Pipe } from "../../src/routing/pipe.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { textOf } from "./bytes.ts";
import { FakeHost } from "./fake_host.ts";

/** Where they meet. */
export const ENDPOINT: InprocEndpoint = { transport: "inproc", text: "inproc://x", name: "x" };
/** Two sockets of one context, the first of which binds and the second of which connects. */
export class InprocStand {
  readonly binder: FakeHost;
  readonly connecter: FakeHost;
  readonly binding: InprocBinding;
  readonly connection: InprocConnection;
  /** Who has ended. */
  readonly done: string[] = [];

  constructor(
    types: readonly [SocketType, SocketType] = ["PULL", "PUSH"],
    options: readonly [Partial<OptionValues>?, Partial<OptionValues>?] = [],
  ) {
    const names = new InprocNames();
    [this.binder, this.connecter] = types.map((type, i) => {
      const host = new FakeHost(type, options[i]);
      Object.assign(host.around, { inproc: names });
      return host;
    });
    this.binding = new InprocBinding(this.binder, ENDPOINT, () => this.done.push("binding"));
    this.connection = new InprocConnection(
      this.connecter,
      ENDPOINT,
      undefined,
      () => this.done.push("connection"),
    );
  }

  /** Binds and connects; the calls until then are forgotten. */
  meet(): this {
    this.binding.listen();
    assertEquals(this.connection.start(), undefined);
    for (const host of [this.binder, this.connecter]) host.calls.length = 0;
    return this;
  }

  /** The pipe of a host that has one. */
  get theirs(): Pipe {
    return [...this.binder.attached][0];
  }
  get own(): Pipe {
    return [...this.connecter.attached][0];
  }
}

/** Everything that can be read from a pipe. */
export function readAll(pipe: Pipe): string[] {
  const texts: string[] = [];
  for (let frames = pipe.receive(); frames !== undefined; frames = pipe.receive()) {
    texts.push(frames.map(textOf).join("|"));
  }
  return texts;
}

/** Sends the numbers of a range. */
export function send(pipe: Pipe, from: number, to: number): void {
  for (let i = from; i < to; i++) pipe.send(String(i));
}

/** The numbers of a range as texts. */
export function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(from + i));
}
