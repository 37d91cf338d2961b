// Records what a socket's observer tells, and waits for it.

import { assertEquals } from "@std/assert";
import type { Event, EventOfType, EventType, Socket } from "../../mod.ts";
import { toHex } from "./bytes.ts";
import { eventually } from "./deadline.ts";

/** An event and when it came, in milliseconds; not a property that comparing looks at. */
export type Logged<E extends EventType = EventType> = EventOfType<E> & { readonly at: number };

const WAIT_MS = 5_000;

/** The events of one socket, from now on until it is closed. */
export class EventLog {
  /** All of them, in order. */
  readonly all: Logged[] = [];
  /** Resolves when the iteration has ended. */
  readonly over: Promise<void>;
  readonly #taken: Map<EventType, number> = new Map();

  constructor(socket: Socket) {
    this.over = this.#record(socket);
  }

  /** The types of all events, in order. */
  get types(): EventType[] {
    return this.all.map(({ type }) => type);
  }

  /** The events of one type, in order. */
  of<E extends EventType>(type: E): Logged<E>[] {
    return this.all.filter((event) => event.type === type) as unknown as Logged<E>[];
  }

  /** The first event of this type that `next` has not answered before. */
  async next<E extends EventType>(type: E, ms: number = WAIT_MS): Promise<Logged<E>> {
    const number = (this.#taken.get(type) ?? 0) + 1;
    const event = await this.nth(type, number, ms);
    this.#taken.set(type, number);
    return event;
  }

  /** The first, second, … event of this type, as soon as it has come. */
  async nth<E extends EventType>(type: E, number = 1, ms: number = WAIT_MS): Promise<Logged<E>> {
    await eventually(() => this.of(type).length >= number, ms, `${type}, ${number} times`)
      .catch((error: Error) => {
        throw new Error(`${error.message}; there were ${JSON.stringify(this.all.map(plain))}`);
      });
    return this.of(type)[number - 1];
  }

  /** Waits until these types have come, and checks that they came in this order, without others. */
  async isExactly(...types: EventType[]): Promise<void> {
    await eventually(() => this.all.length >= types.length, WAIT_MS).catch(() => {}); // see below
    assertEquals(this.types, types);
  }

  async #record(socket: Socket): Promise<void> {
    for await (const event of socket.events) {
      Object.defineProperty(event, "at", { value: performance.now() });
      this.all.push(event as Logged);
    }
  }
}

/** The code of an event's error. */
export function codeOf(event: object): string | undefined {
  return (event as { error?: { code?: string } }).error?.code;
}

/** An event in a form to compare: its error as the code, its octets in hex. */
export function plain(event: Event): Record<string, unknown> {
  assertEquals(Object.getPrototypeOf(event), Object.prototype, "an event is a plain object");
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => {
      if (value instanceof Error) return [name, codeOf(event)];
      return [name, value instanceof Uint8Array ? toHex(value) : value];
    }),
  );
}
