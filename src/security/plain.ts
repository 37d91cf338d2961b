// The PLAIN mechanism: the client says a name and a password, in clear text (RFC 24).

import { type Command, encodeCommand } from "../wire/command.ts";
import { decodeMetadata, encodeMetadata, type Metadata } from "../wire/metadata.ts";
import { type Answer, malformed, type Mechanism, type Property, unexpected } from "./mechanism.ts";
import type { MechanismName } from "../wire/greeting.ts";
import type { Door } from "./zap.ts";

const NAME = "PLAIN";
const NOTHING = new Uint8Array(0);

/** The side that connects as somebody. */
export class PlainClient implements Mechanism {
  readonly name: MechanismName = NAME;
  readonly demands: string = NAME;
  readonly asServer = false;
  readonly mayRefuse = false;
  readonly admission = undefined;
  readonly #properties: readonly Property[];
  readonly #username: Uint8Array;
  readonly #password: Uint8Array;
  #welcome = false;
  peer: Metadata | undefined;

  /** Names and passwords have 255 octets at most. */
  constructor(properties: readonly Property[], username: Uint8Array, password: Uint8Array) {
    this.#properties = properties;
    this.#username = username;
    this.#password = password;
  }

  start(): Answer {
    return [
      encodeCommand(
        "HELLO",
        Uint8Array.of(this.#username.length),
        this.#username,
        Uint8Array.of(this.#password.length),
        this.#password,
      ),
    ];
  }

  receive(command: Command): Answer {
    if (this.#welcome) {
      if (command.name !== "READY") throw unexpected(command, this, "READY");
      this.peer = decodeMetadata(command.data);
      return [];
    }
    if (command.name !== "WELCOME") throw unexpected(command, this, "WELCOME");
    if (command.data.length > 0) throw malformed("WELCOME", "it has no data in PLAIN");
    this.#welcome = true;
    return [encodeCommand("INITIATE", encodeMetadata(this.#properties))];
  }

  end(): void {}
}

/** The side that lets in whom the ZAP handler knows. */
export class PlainServer implements Mechanism {
  readonly name: MechanismName = NAME;
  readonly demands: string = NAME;
  readonly asServer = true;
  readonly mayRefuse = true;
  readonly #properties: readonly Property[];
  readonly #door: Door;
  #greeted = false;
  peer: Metadata | undefined;
  admission: Metadata | undefined;

  constructor(properties: readonly Property[], door: Door) {
    this.#properties = properties;
    this.#door = door;
  }

  start(): Answer {
    return [];
  }

  receive(command: Command): Answer | Promise<Answer> {
    if (this.#greeted) {
      if (command.name !== "INITIATE") throw unexpected(command, this, "INITIATE");
      this.peer = decodeMetadata(command.data);
      return [encodeCommand("READY", encodeMetadata(this.#properties))];
    }
    if (command.name !== "HELLO") throw unexpected(command, this, "HELLO");
    this.#greeted = true;
    return this.#hello(decodeHello(command.data));
  }

  async #hello(credentials: Uint8Array[]): Promise<Answer> {
    this.admission = await this.#door.admit(NAME, credentials);
    return [encodeCommand("WELCOME", NOTHING)];
  }

  end(): void {
    this.#door.close();
  }
}

/** The name and the password. */
function decodeHello(data: Uint8Array): [Uint8Array, Uint8Array] {
  const passwordAt = 1 + data[0];
  // A length that is missing is no number, and unequal to all.
  if (passwordAt + 1 + data[passwordAt] !== data.length) {
    throw malformed("HELLO", "the lengths of name and password do not add up");
  }
  return [data.slice(1, passwordAt), data.slice(passwordAt + 1)];
}
