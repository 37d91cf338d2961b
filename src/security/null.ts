// The NULL mechanism: both sides send READY as soon as the greetings are in, neither waits for the other's (RFC 23 and 37).
// With a ZAP domain the handler is asked first.

import { type Command, encodeCommand } from "../wire/command.ts";
import { decodeMetadata, encodeMetadata, type Metadata } from "../wire/metadata.ts";
import { type Answer, type Mechanism, type Property, unexpected } from "./mechanism.ts";
import type { Door } from "./zap.ts";

export class NullMechanism implements Mechanism {
  readonly name = "NULL";
  readonly asServer = false;
  readonly mayRefuse = true;
  readonly #properties: readonly Property[];
  readonly #door: Door;
  peer: Metadata | undefined;
  admission: Metadata | undefined;

  constructor(properties: readonly Property[], door: Door) {
    this.#properties = properties;
    this.#door = door;
  }

  /** Who is asked for admission wants to know of everybody. */
  get demands(): string | undefined {
    return this.#door.isOpen ? undefined : "authentication";
  }

  start(): Answer | Promise<Answer> {
    const admission = this.#door.admit(this.name, []);
    return admission instanceof Promise
      ? admission.then(this.#admitted)
      : this.#admitted(admission);
  }

  readonly #admitted = (admission: Metadata): Answer => {
    this.admission = admission;
    return [encodeCommand("READY", encodeMetadata(this.#properties))];
  };

  receive(command: Command): Answer {
    if (command.name !== "READY") throw unexpected(command, this, "READY");
    this.peer = decodeMetadata(command.data);
    return [];
  }

  end(): void {
    this.#door.close();
  }
}
