// Two links joined by a wire in memory: fake streams with any back-pressure, fake hosts, every mechanism.

import { CurveClient } from "../../src/security/curve_client.ts";
import { CurveServer } from "../../src/security/curve_server.ts";
import { entropy } from "../../src/security/curve_boxes.ts";
import type { Answer, Mechanism, Property } from "../../src/security/mechanism.ts";
import { NullMechanism } from "../../src/security/null.ts";
import { PlainClient, PlainServer } from "../../src/security/plain.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { Door } from "../../src/security/zap.ts";
import type { Security } from "../../src/link/host.ts";
import { routingIdOf } from "../../src/link/identity.ts";
import type { OptionValues } from "../../src/options.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { announcesIdentity } from "../../src/wire/socket_type.ts";
import { textOf, utf8 } from "../_util/bytes.ts";
import { KEYS } from "../_util/curve_vectors.ts";
import { FakeHost } from "../_util/fake_host.ts";
import { openDoor } from "../_util/open_door.ts";

/** A mechanism of both sides. */
export type MechanismName = "NULL" | "PLAIN" | "CURVE";

export const MECHANISMS: readonly MechanismName[] = ["NULL", "PLAIN", "CURVE"];

const PAIRS = { server: KeyPair.of(KEYS.serverSecret), client: KeyPair.of(KEYS.clientSecret) };

/** A host with a mechanism in one of its roles. */
export class SecureHost extends FakeHost {
  readonly #mechanism: MechanismName;
  readonly #asServer: boolean;

  constructor(
    type: SocketType,
    options: Partial<OptionValues>,
    mechanism: MechanismName,
    asServer: boolean,
  ) {
    super(type, options);
    this.#mechanism = mechanism;
    this.#asServer = asServer;
  }

  /** How many answers of mechanisms are being made. */
  computing = 0;

  override secure(): Security {
    const make = this.#security();
    return (address) => this.#counted(make(address));
  }

  #counted(mechanism: Mechanism): Mechanism {
    const count = (answer: Answer | Promise<Answer>): Answer | Promise<Answer> => {
      if (!(answer instanceof Promise)) return answer;
      this.computing++;
      return answer.finally(() => this.computing--);
    };
    const { start, receive } = mechanism;
    mechanism.start = () => count(start.call(mechanism));
    mechanism.receive = (command) => count(receive.call(mechanism, command));
    return mechanism;
  }

  #security(): Security {
    const properties: Property[] = [["Socket-Type", utf8(this.type)]];
    if (announcesIdentity(this.type)) properties.push(["Identity", routingIdOf(this)]);
    const core = this.around.memory.outboxes;
    if (this.#mechanism === "NULL") return () => new NullMechanism(properties, openDoor());
    if (this.#mechanism === "PLAIN") {
      return () =>
        this.#asServer
          ? new PlainServer(properties, welcomingDoor())
          : new PlainClient(properties, utf8("me"), utf8("secret"));
    }
    return () =>
      this.#asServer
        ? new CurveServer({ core, entropy, pair: PAIRS.server }, properties, openDoor())
        : new CurveClient({ core, entropy, pair: PAIRS.client }, KEYS.server, properties);
  }
}

/** A door whose handler lets everybody in. */
export function welcomingDoor(): Door {
  return new Door({ domain: "", enforced: false }, "127.0.0.1", (request) => ({
    reply: Promise.resolve(["", "1.0", textOf(request[2]), "200", "", "me", ""].map(utf8)),
    cancel() {},
  }));
}
