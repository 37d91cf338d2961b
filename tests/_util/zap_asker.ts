// Asks a ZAP handler as a server would, about peers that need not exist: for what a handler answers to any address.

import { type Context, type Frame, type MessageLike, Request } from "../../mod.ts";
import { textOf, utf8 } from "./bytes.ts";
import { ZAP_ENDPOINT } from "./zap_handler.ts";
import type { MechanismName } from "./zap_mechanisms.ts";

/** What to ask; NULL from 127.0.0.1 in no domain unless said. */
export interface Question {
  readonly version?: string;
  readonly domain?: string;
  readonly address?: string;
  readonly mechanism?: MechanismName | "GSSAPI";
  readonly credentials?: readonly (string | Uint8Array)[];
}

/** What a handler answers. */
export interface ZapVerdict {
  readonly version: string;
  readonly id: string;
  readonly status: string;
  readonly text: string;
  readonly userId: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const WAIT_MS = 5_000;
let ids = 0;

/** One that asks, one question after the other. */
export class ZapAsker {
  readonly #socket: Request;

  constructor(context: Context) {
    this.#socket = new Request({ context, receiveTimeout: WAIT_MS, linger: 0 });
    this.#socket.connect(ZAP_ENDPOINT);
  }

  /** Asks, and checks that the answer is one to this question. */
  async ask(question: Question): Promise<ZapVerdict> {
    const id = `question ${++ids}`;
    const verdict = await this.askFrames([
      question.version ?? "1.0",
      id,
      question.domain ?? "",
      question.address ?? "127.0.0.1",
      "",
      question.mechanism ?? "NULL",
      ...(question.credentials ?? []) as MessageLike[],
    ]);
    if (verdict.version !== "1.0" || verdict.id !== id) throw new Error("An answer to another");
    return verdict;
  }

  /** The status alone. */
  async status(question: Question): Promise<string> {
    return (await this.ask(question)).status;
  }

  /** Asks with any frames. */
  async askFrames(frames: readonly MessageLike[]): Promise<ZapVerdict> {
    await this.#socket.send([...frames]);
    const reply = await this.#socket.receive();
    if (reply.length !== 6) throw new Error(`An answer of ${reply.length} frames`);
    const [version, id, status, text, userId] = reply.map(textOf);
    return { version, id, status, text, userId, metadata: readMetadata(reply[5]) };
  }

  close(): Promise<void> {
    return this.#socket.close();
  }
}

/** Credentials of PLAIN. */
export function plainAs(username: string, password: string): Question {
  return { mechanism: "PLAIN", credentials: [utf8(username), utf8(password)] };
}

/** Credentials of CURVE. */
export function curveAs(publicKey: Uint8Array): Question {
  return { mechanism: "CURVE", credentials: [publicKey] };
}

function readMetadata(octets: Frame): Record<string, string> {
  const properties: Record<string, string> = {};
  for (let at = 0; at < octets.length;) {
    const name = textOf(octets.subarray(at + 1, at + 1 + octets[at]));
    at += 1 + octets[at];
    const size = new DataView(octets.buffer, octets.byteOffset + at, 4).getUint32(0);
    properties[name] = textOf(octets.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return properties;
}
