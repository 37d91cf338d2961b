// A connection of a client to a broker.

import { Dealer, type Frame } from "../../../mod.ts";
import { sameOctets } from "../base/octets.ts";
import { drain } from "../base/drain.ts";
import { CLIENT_FINAL, CLIENT_PARTIAL, type Dialect, FIRST } from "./protocol.ts";

/** Who is told of what comes. */
export interface LineOwner {
  arrived(line: Line, message: Frame[]): void;
  broken(error: unknown): void;
}

export class Line {
  readonly endpoint: string;
  readonly #socket: Dealer;
  /** When it was made, or something came by it last. */
  heard: number;

  constructor(
    endpoint: string,
    options: ConstructorParameters<typeof Dealer>[0],
    time: number,
    owner: LineOwner,
  ) {
    this.endpoint = endpoint;
    this.heard = time;
    // What is under way is limited already, and must not wait here.
    this.#socket = new Dealer({ ...options, sendHighWaterMark: 0, linger: 0 });
    this.#socket.connect(endpoint);
    drain(this.#socket, (message) => owner.arrived(this, message)).catch((error) =>
      owner.broken(error)
    );
  }

  send(message: Parameters<Dealer["trySend"]>[0]): void {
    this.#socket.trySend(message);
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}

/** What a message to a client says. */
export interface ReplyHead {
  readonly final: boolean;
  readonly name: Uint8Array;
  /** Where its body begins. */
  readonly bodyAt: number;
}

/** Reads a message from frame `at` on; undefined when it is no reply. */
export function readReply(
  dialect: Dialect,
  message: readonly Frame[],
  at: number,
): ReplyHead | undefined {
  if (message.length < at + 4) return undefined;
  if (!sameOctets(message[at], dialect.final[0])) return undefined;
  const second = message[at + 1];
  const bodyAt = at + 3;
  const name = message[at + 2];
  if (sameOctets(second, dialect.final[1])) return { final: true, name, bodyAt };
  if (dialect === FIRST || second.length !== 1) return undefined;
  if (second[0] === CLIENT_PARTIAL) return { final: false, name, bodyAt };
  return second[0] === CLIENT_FINAL ? { final: true, name, bodyAt } : undefined;
}
