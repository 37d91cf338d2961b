// A WebSocket as a page has it, moved by hand, and a link that takes what comes of it.

import type { ByteSink, WebSocketEventLike, WebSocketLike } from "../../src/link/stream.ts";

type Listener = (event: WebSocketEventLike) => void;

/** Does what a test says, and refuses the close codes that a page must not send. */
export class FakeWebSocket implements WebSocketLike {
  binaryType = "blob";
  protocol = "";
  readyState = 0;
  bufferedAmount = 0;
  /** The messages that were sent, and how it was closed. */
  readonly sent: Uint8Array[] = [];
  readonly closes: [code: number | undefined, reason: string | undefined][] = [];
  readonly #listeners: Map<string, Listener[]> = new Map();

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...this.#listeners.get(type) ?? [], listener]);
  }

  /** Something happens to it. */
  tell(type: string, event: WebSocketEventLike = {}): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  /** The handshake is done. */
  open(protocol: string): void {
    this.protocol = protocol;
    this.readyState = 1;
    this.tell("open");
  }

  /** A message of the peer. */
  message(...octets: number[]): void {
    this.tell("message", { data: Uint8Array.from(octets).buffer });
  }

  /** It is over. */
  end(code: number, reason: string = ""): void {
    this.readyState = 3;
    this.tell("close", { code, reason });
  }

  send(data: Uint8Array): void {
    this.sent.push(data);
  }

  close(code?: number, reason?: string): void {
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999)) {
      throw new Error(`InvalidAccessError: ${code}`);
    }
    this.readyState = 2;
    this.closes.push([code, reason]);
  }
}

/** One that can be told to wait, and asks for signs of life. */
export class SteadyWebSocket extends FakeWebSocket {
  /** How often it was asked, and whether it waits. */
  pings = 0;
  paused = false;

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  ping(): void {
    this.pings++;
  }
}

/** Writes down what a stream hands over. */
export class CollectingSink implements ByteSink {
  /** All octets. */
  octets: number[] = [];
  /** How often there was room again, or a sign of life. */
  rooms = 0;
  signs = 0;
  /** The ends that were told: undefined for one in peace. */
  readonly ends: unknown[] = [];
  /** Called after octets came. */
  onFilled: () => void = () => {};
  readonly #memory: Uint8Array;

  constructor(size: number = 4096) {
    this.#memory = new Uint8Array(size);
  }

  target(): Uint8Array {
    return this.#memory;
  }

  filled(count: number): void {
    this.octets.push(...this.#memory.subarray(0, count));
    this.onFilled();
  }

  written(): void {
    this.rooms++;
  }

  alive(): void {
    this.signs++;
  }

  closed(error: unknown): void {
    this.ends.push(error);
  }

  /** Takes what came so far. */
  take(): number[] {
    return this.octets.splice(0);
  }
}
