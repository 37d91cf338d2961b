// The NULL mechanism: both sides send READY as soon as the greetings are in, neither waits for the other's (RFC 23 and 37).

import { ProtocolError } from "../errors.ts";
import { type Command, decodeError, encodeCommand } from "../wire/command.ts";
import { decodeMetadata, encodeMetadata, type Metadata } from "../wire/metadata.ts";
import type { Mechanism, Property } from "./mechanism.ts";

export class NullMechanism implements Mechanism {
  readonly name = "NULL";
  readonly asServer = false;
  readonly #properties: readonly Property[];
  #peer: Metadata | undefined;

  constructor(properties: readonly Property[]) {
    this.#properties = properties;
  }

  get peer(): Metadata | undefined {
    return this.#peer;
  }

  start(): Uint8Array[] {
    return [encodeCommand("READY", encodeMetadata(this.#properties))];
  }

  receive(command: Command): Uint8Array[] {
    if (command.name === "ERROR") {
      const reason = decodeError(command.data);
      throw new ProtocolError(
        "ERR_ZMTP_UNSPECIFIED",
        `The peer refused the handshake: ${reason === "" ? "it gave no reason" : reason}`,
      );
    }
    if (command.name !== "READY") {
      throw new ProtocolError(
        "ERR_ZMTP_UNEXPECTED_COMMAND",
        `The peer sent ${command.name} where the NULL mechanism expects READY`,
      );
    }
    this.#peer = decodeMetadata(command.data);
    return [];
  }
}
