// The two sides of a WebSocket handshake (RFC 6455, section 4): what each says, and what it makes of the other's head.

import { formatHostPort, type WebSocketEndpoint } from "../../endpoint.ts";
import type { OptionValues } from "../../options.ts";
import { HttpRefusal } from "../../wire/websocket/fault.ts";
import { admitsOrigin } from "../../wire/websocket/origin.ts";
import { decodeRequest, encodeRequest, type UpgradeRequest } from "../../wire/websocket/request.ts";
import { checkResponse, encodeAccept } from "../../wire/websocket/response.ts";
import { chooseProtocol, offersOf } from "../../wire/websocket/subprotocol.ts";
import type { Introduction } from "../stream.ts";

/** What came of the peer's head. */
export interface Met {
  /** The subprotocol that both speak from now on. */
  readonly protocol: string;
  /** What to say before that. */
  readonly answer: Uint8Array | undefined;
}

/** One side of a handshake. */
export interface Side {
  /** This side is the client: it asks, and its frames are masked. */
  readonly asks: boolean;
  /** What it says first. */
  hello(own: Introduction): Uint8Array | undefined;
  /**
   * Takes the head of the peer's request or response.
   *
   * @throws {HttpRefusal | ZmqError} Why there will be no WebSocket; the peer of a server is told.
   */
  meet(head: Uint8Array, own: Introduction): Met;
}

/** What of a socket's options says who may connect. */
export type Admission = Pick<OptionValues, "origins" | "zapDomain">;

export class ServerSide implements Side {
  readonly asks = false;
  readonly #path: string;
  readonly #options: Admission;

  /** Serves the requests for a path, or all of them with `/`. */
  constructor(path: string, options: Admission) {
    this.#path = path.replace(/\?.*$/s, "");
    this.#options = options;
  }

  hello(): undefined {
    return undefined;
  }

  meet(head: Uint8Array, own: Introduction): Met {
    const request = decodeRequest(head);
    const protocol = this.judge(request, own);
    return { protocol, answer: encodeAccept(request.key, protocol) };
  }

  /**
   * The subprotocol for a request.
   *
   * @throws {HttpRefusal} `404`, `403` for a page that may not connect, `400` when no subprotocol is known.
   */
  judge(
    { path, origin, host, protocols }: Omit<UpgradeRequest, "key">,
    { mechanism, type }: Introduction,
  ): string {
    if (this.#path !== "/" && path.replace(/\?.*$/s, "") !== this.#path) {
      throw new HttpRefusal(404, `nothing is served at this path, only at ${this.#path}`);
    }
    const { origins, zapDomain } = this.#options;
    const credentials = mechanism !== "NULL" || (zapDomain ?? "") !== "";
    if (!admitsOrigin(origin, host, origins, credentials)) {
      throw new HttpRefusal(403, "pages of this origin may not connect; see the option origins");
    }
    const protocol = chooseProtocol(protocols, mechanism, path, type);
    if (protocol !== undefined) return protocol;
    throw new HttpRefusal(
      400,
      `the request offers no subprotocol that is spoken here: ${
        offersOf(mechanism, "").join(", ")
      } or the like`,
      [],
      "ERR_WS_SUBPROTOCOL",
    );
  }
}

const KEY_SIZE = 16;

export class ClientSide implements Side {
  readonly asks = true;
  readonly #endpoint: WebSocketEndpoint;
  readonly #key: string = btoa(
    String.fromCharCode(...crypto.getRandomValues(new Uint8Array(KEY_SIZE))),
  );

  constructor(endpoint: WebSocketEndpoint) {
    this.#endpoint = endpoint;
  }

  #offers({ mechanism }: Introduction): readonly string[] {
    return offersOf(mechanism, this.#endpoint.path);
  }

  hello(own: Introduction): Uint8Array {
    const { path, port, transport } = this.#endpoint;
    const usual = port === (transport === "ws" ? 80 : 443);
    const whole = formatHostPort(this.#endpoint);
    return encodeRequest({
      path,
      host: usual ? whole.replace(/:\d+$/, "") : whole,
      key: this.#key,
      protocols: this.#offers(own),
    });
  }

  meet(head: Uint8Array, own: Introduction): Met {
    const protocol = checkResponse(head, this.#key, this.#offers(own));
    return { protocol, answer: undefined };
  }
}
