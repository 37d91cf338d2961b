// Where a conversation over a faulty network takes place: one host with its troubles, the sockets, and a limit of time.

import type { Context, Socket } from "../../mod.ts";
import { Cleanup } from "./cleanup.ts";
import { within } from "./deadline.ts";
import type { Trouble } from "./faulty_faults.ts";
import { trouble } from "./faulty_faults.ts";
import type { FaultyNetwork, Place } from "./faulty_network.ts";
import { Random } from "./faulty_random.ts";
import { Messages } from "./faulty_talk.ts";
import { ROLES } from "./security_options.ts";

/** How long a conversation may take; it is a matter of milliseconds. */
const WAIT_MS = 30_000;

/** The longest frame; the pieces in which it moves, not too many of them; and when connections break. */
const SCALES = [
  { longest: 30, finest: [1, 1, 7], octets: [100, 300, 1_000] },
  { longest: 300, finest: [1, 7, 100], octets: [200, 1_000, 5_000] },
  { longest: 9_000, finest: [100, 1_000], octets: [300, 10_000, 50_000] },
  { longest: 140_000, finest: [1_000, 20_000], octets: [1_000, 100_000, 500_000] },
] as const;

/** Options of a socket, whatever its type. */
export interface Options {
  readonly context: Context;
  readonly reconnectInterval: number;
}

type Bindable = Socket & { bind(endpoint: string): Promise<void> };

/** One conversation. */
export class FaultyStage {
  readonly context: Context;
  readonly random: Random;
  readonly messages: Messages;
  readonly place: Place;
  readonly trouble: { -readonly [K in keyof Trouble]: Trouble[K] };
  /** How many messages go each way. */
  readonly count: number;
  readonly #cleanup: Cleanup = new Cleanup();
  readonly #security: "NULL" | keyof typeof ROLES;

  constructor(network: FaultyNetwork, context: Context, seed: number, count: number) {
    const random = this.random = new Random(seed);
    this.context = context;
    this.count = count;
    const { longest, finest, octets } = random.of(SCALES);
    this.messages = new Messages(seed, longest);
    this.trouble = {
      resets: random.between(1, 6),
      octets: random.of(octets),
      finest: random.of(finest),
      failures: random.of([0, 0, 2]),
      anyOrder: random.chance(0.3),
    };
    this.place = network.host(trouble(this.trouble), seed);
    this.#security = random.of(["NULL", "NULL", "CURVE"] as const);
  }

  /** The options of a socket that binds, or of one that connects, and that sends or receives. */
  options(binds: boolean, sends: boolean, receives: boolean): Options {
    const { context, random } = this;
    const role = binds ? "server" : "client";
    return {
      context,
      reconnectInterval: 0,
      ...this.#security !== "NULL" && ROLES[this.#security][role],
      ...sends && random.chance(0.5) && { sendHighWaterMark: random.between(1, 20) },
      ...receives && random.chance(0.5) && { receiveHighWaterMark: random.between(1, 20) },
      ...receives && { attachMetadata: true },
    };
  }

  /** The bound end hears of each break first. */
  orderly(): void {
    this.trouble.anyOrder = false;
  }

  /** Remembers a socket, to be closed whatever happens. */
  add<S extends Socket>(socket: S): S {
    this.#cleanup.add(socket);
    return socket;
  }

  /** Binds a socket and connects the others to it, by its address or by name. */
  async join(
    binder: Bindable,
    connectors: readonly { connect(endpoint: string): void }[],
  ): Promise<void> {
    await binder.bind(this.place.endpoint);
    for (const socket of connectors) socket.connect(this.endpointOf(binder));
  }

  /** Where to connect to. */
  endpointOf(binder: Bindable): string {
    const { address, name } = this.place;
    return binder.lastEndpoint!.replace(address, this.random.chance(0.5) ? name : address);
  }

  /** Runs a conversation to its end; nothing may be left open. */
  async run(talk: (stage: FaultyStage) => Promise<void>): Promise<void> {
    try {
      await within(talk(this), WAIT_MS, "a conversation");
    } finally {
      await within(this.#cleanup.run(), WAIT_MS, "closing the sockets of a conversation");
      // The other ends hear of it.
      await this.place.idle();
    }
  }
}
