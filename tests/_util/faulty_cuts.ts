// A short conversation, cut at each of its octets: greeting, handshake, short and long frames, both ways.

import { assertEquals } from "@std/assert";
import { type Context, Dealer, type Socket } from "../../mod.ts";
import { Cleanup } from "./cleanup.ts";
import { within } from "./deadline.ts";
import { type LineFaults, PLAIN_LINE, type Script } from "./faulty_faults.ts";
import type { FaultyNetwork, Place } from "./faulty_network.ts";
import { assertMessages, pattern } from "./octets.ts";
import { ROLES } from "./security_options.ts";

const WAIT_MS = 25_000;
/** Conversations at once. */
const ABREAST = 40;

/** What is said each way: one frame, several, an empty one, a long one. */
export const SHORT: readonly Uint8Array[][] = [
  [pattern(1)],
  [pattern(3), pattern(0), pattern(20)],
  [pattern(256)],
  [pattern(2, 1)],
];

/** With bodies that are kept by reference, and one that is written by itself. */
export const LONG: readonly Uint8Array[][] = [
  [pattern(5)],
  [pattern(10), pattern(33_000), pattern(3)],
  [pattern(140_000)],
  [pattern(1)],
];

/** Where a conversation is cut. */
export interface Cut {
  readonly direction: "toListener" | "toDialer";
  readonly at: number;
}

/** The conversations of a mechanism and their cuts. */
export class Cuts {
  readonly #network: FaultyNetwork;
  readonly #context: Context;
  readonly #mechanism: "NULL" | keyof typeof ROLES;
  readonly #said: readonly Uint8Array[][];

  constructor(
    network: FaultyNetwork,
    context: Context,
    mechanism: "NULL" | keyof typeof ROLES,
    said: readonly Uint8Array[][],
  ) {
    this.#network = network;
    this.#context = context;
    this.#mechanism = mechanism;
    this.#said = said;
  }

  /** Every place to cut at, or one in `step` of them from `first` on. */
  async places(step = 1, first = 0): Promise<Cut[]> {
    const [toListener, toDialer] = await this.#talk({});
    const cuts: Cut[] = [];
    for (let at = first; at <= toListener; at += step) cuts.push({ direction: "toListener", at });
    for (let at = first; at <= toDialer; at += step) cuts.push({ direction: "toDialer", at });
    return cuts;
  }

  /** Has a conversation for each cut. */
  async run(cuts: readonly Cut[]): Promise<void> {
    const queue = [...cuts];
    const work = async (): Promise<void> => {
      for (let cut = queue.pop(); cut !== undefined; cut = queue.pop()) {
        try {
          await this.#talk(cutting(cut));
        } catch (error) {
          throw new Error(`cut ${cut.direction} after ${cut.at} octets`, { cause: error });
        }
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, work));
  }

  /** Answers how many octets went each way by the first connection. */
  async #talk(script: Script): Promise<readonly [number, number]> {
    const place = this.#network.host({ connection: () => PLAIN, ...script });
    const cleanup = new Cleanup();
    const open = (role: "server" | "client"): Dealer =>
      cleanup.add(
        new Dealer({
          context: this.#context,
          reconnectInterval: 0,
          ...this.#mechanism !== "NULL" && ROLES[this.#mechanism][role],
        }),
      );
    try {
      const [bound, connected] = [open("server"), open("client")];
      await bound.bind(place.endpoint);
      connected.connect(bound.lastEndpoint!);
      await within(this.#exchange(bound, connected, place), WAIT_MS, "what was said");
    } finally {
      await cleanup.run();
    }
    return place.taken;
  }

  /** Both say everything at once; all of it comes, and comes once. */
  async #exchange(bound: Dealer, connected: Dealer, place: Place): Promise<void> {
    const said = this.#said;
    const heard = await Promise.all([bound, connected].map(async (socket) => {
      for (const message of said) await socket.send(message);
      const messages: Uint8Array[][] = [];
      while (messages.length < said.length) messages.push(await socket.receive());
      return messages;
    }));
    await place.idle();
    for (const [i, socket] of [bound, connected].entries()) {
      // What came before the cut and after it waits in two queues at the end that is bound.
      if (socket === bound) heard[i].sort((a, b) => orderIn(said, a) - orderIn(said, b));
      assertMessages(heard[i], said);
      assertEquals(socket.tryReceive(), undefined, nameOf(socket));
    }
  }
}

const PLAIN = { toListener: PLAIN_LINE, toDialer: PLAIN_LINE, dialerFirst: false };

/** The first connection is cut, the others are whole. */
function cutting({ direction, at }: Cut): Script {
  const line: LineFaults = { ...PLAIN_LINE, cutAt: at };
  return { connection: (count) => count === 0 ? { ...PLAIN, [direction]: line } : PLAIN };
}

/** The place of a message; it is told by its first frame. */
function orderIn(said: readonly Uint8Array[][], [frame]: readonly Uint8Array[]): number {
  return said.findIndex(([first]) => first.length === frame.length);
}

function nameOf(socket: Socket): string {
  return `something came twice to ${socket.lastEndpoint}`;
}
