// Options of the ws and wss transports.

/** Options of `ws://` and `wss://` endpoints. */
export interface WebSocketOptions {
  /**
   * The pages that may connect to a `ws://` or `wss://` endpoint, as their origins, e.g. `"https://example.org"`: one or a
   * list, `"*"` for all. Browsers say on which page a connection is made; programs say nothing, and are not kept out. With
   * `null` it is pages of the same origin only where peers have to authenticate themselves (PLAIN, CURVE or a ZAP domain),
   * and all pages elsewhere.
   * @default {null}
   */
  origins: string | readonly string[] | null;
  /**
   * The private key of a server, as PEM, for binding `wss://`. `ZMQ_WSS_KEY_PEM`.
   * @default {null}
   */
  wssKeyPem: string | null;
  /**
   * The certificate of a server, and those of its authorities, as PEM, for binding `wss://`. `ZMQ_WSS_CERT_PEM`.
   * @default {null}
   */
  wssCertPem: string | null;
  /**
   * Certificates of the authorities that are trusted when `wss://` is connected, as PEM; `null` for those of the system.
   * `ZMQ_WSS_TRUST_PEM`.
   * @default {null}
   */
  wssTrustPem: string | null;
  /**
   * The name that the certificate of a server has to be for; `null` is the host of the endpoint, an empty text any name.
   * `ZMQ_WSS_HOSTNAME`.
   * @default {null}
   */
  wssHostname: string | null;
  /**
   * With `true`, the authorities that the system or the runtime trusts are trusted beside those of `wssTrustPem`.
   * `ZMQ_WSS_TRUST_SYSTEM`.
   * @default {false}
   */
  wssTrustSystem: boolean;
}
