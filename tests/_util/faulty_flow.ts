// Messages that flow over connections that break: none is lost, none comes twice, and what one connection carries stays in
// order.

import { type Frame, metadataOf, type Socket } from "../../mod.ts";
import { within } from "./deadline.ts";
import type { FaultyStage } from "./faulty_stage.ts";
import { Received } from "./faulty_talk.ts";

/** How long all may take to come; it is a matter of milliseconds. */
const WAIT_MS = 25_000;

/** A socket that sends. */
export interface Sending extends Socket {
  send(message: readonly Uint8Array[]): Promise<void>;
}

/** A socket that receives. */
export interface Receiving extends Socket {
  receive(): Promise<Frame[]>;
}

/**
 * What comes in the order in which it was sent: all of it; what came by the same connection; or nothing for certain, as with
 * several peers, and where the sender hears so late of an end that another connection has gone ahead.
 */
export type Order = "whole" | "connection" | "none";

/** From where to where. */
export interface Flow {
  readonly from: Sending;
  readonly to: readonly Receiving[];
  /** Stands before each message that is sent; so many frames stand before each that comes. */
  readonly prefix?: readonly Uint8Array[];
  readonly cut?: number;
  readonly order: Order;
}

/** The receiving side of a flow. */
class Watch {
  readonly all: Received;
  readonly done: Promise<void>;
  readonly #byConnection: Map<unknown, Received> = new Map();
  readonly #stage: FaultyStage;
  readonly #flow: Flow;
  readonly #complete: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(stage: FaultyStage, flow: Flow) {
    this.#stage = stage;
    this.#flow = flow;
    this.all = new Received(stage.messages);
    this.done = this.#complete.promise;
    for (const socket of flow.to) {
      this.#read(socket).catch((error) => this.#complete.reject(error));
    }
  }

  /** Reads until the socket is closed. */
  async #read(socket: Receiving): Promise<void> {
    for (;;) {
      let message: Frame[];
      try {
        message = await socket.receive();
      } catch (error) {
        if (socket.closed) return;
        throw error;
      }
      const connection = metadataOf(message) ?? socket;
      const frames = message.slice(this.#flow.cut ?? 0);
      this.all.add(frames);
      let part = this.#byConnection.get(connection);
      if (part === undefined) {
        this.#byConnection.set(connection, part = new Received(this.#stage.messages));
      }
      part.add(frames);
      if (this.all.numbers.length === this.#stage.count) this.#complete.resolve();
    }
  }

  check(): void {
    this.all.assertOnce(this.#stage.count);
    const { order } = this.#flow;
    const parts = order === "whole" ? [this.all] : this.#byConnection.values();
    if (order !== "none") { for (const part of parts) part.assertInOrder(); }
  }
}

/** Runs flows until all has come; then the senders close, and nothing more may come. */
export async function runFlows(stage: FaultyStage, flows: readonly Flow[]): Promise<void> {
  const watches = flows.map((flow) => new Watch(stage, flow));
  const sends = flows.map(async ({ from, prefix = [] }) => {
    for (let i = 0; i < stage.count; i++) await from.send([...prefix, ...stage.messages.make(i)]);
  });
  try {
    await within(Promise.all([...sends, ...watches.map(({ done }) => done)]), WAIT_MS, "a flow");
  } catch (error) {
    for (const { all } of watches) all.assertOnce(stage.count);
    throw error;
  }
  await stage.place.idle();
  // What is sent is with the kernel: closing waits for nothing, and drops nothing.
  const receivers = flows.flatMap(({ to }) => to);
  const senders = flows.map(({ from }) => from).filter((socket) =>
    !receivers.includes(socket as never)
  );
  await within(Promise.all(senders.map((socket) => socket.close())), WAIT_MS, "closing a sender");
  await stage.place.idle();
  for (const watch of watches) watch.check();
}
