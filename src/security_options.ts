// The options of the security mechanisms.

/**
 * Who may talk to a socket, and whether others can listen in. Without any of these the mechanism is NULL. They count for
 * the next `bind` or `connect`, which refuses what contradicts itself; between sockets of one context (inproc) they do
 * not matter.
 */
export interface SecurityOptions {
  /**
   * With `true`, clients have to say a name and a password, which the ZAP handler checks (see `Authenticator`); without a
   * handler nobody is let in. `ZMQ_PLAIN_SERVER`.
   * @default {false}
   */
  plainServer: boolean;
  /**
   * The name to say to a PLAIN server, at most 255 octets. It is sent in clear text, as the password is.
   * `ZMQ_PLAIN_USERNAME`.
   * @default {null}
   */
  plainUsername: string | null;
  /**
   * The password to say to a PLAIN server, at most 255 octets. `ZMQ_PLAIN_PASSWORD`.
   * @default {null}
   */
  plainPassword: string | null;
  /**
   * With `true`, clients need this side's public key, and everything is encrypted. It needs `curveSecretKey`. A client has
   * `handshakeInterval` to come back with the cookie that it was given. `ZMQ_CURVE_SERVER`.
   * @default {false}
   */
  curveServer: boolean;
  /**
   * This side's public key: 40 characters of Z85, as which it is read, or 32 octets. It may be left out: it follows from
   * the secret one. `ZMQ_CURVE_PUBLICKEY`.
   * @default {null}
   */
  curvePublicKey: CurveKeyLike | null;
  /**
   * This side's secret key, likewise; see `curveKeyPair`. `ZMQ_CURVE_SECRETKEY`.
   * @default {null}
   */
  curveSecretKey: CurveKeyLike | null;
  /**
   * The public key of the server to be talked to: it makes this side a client of CURVE, which needs `curveSecretKey` as
   * well. `ZMQ_CURVE_SERVERKEY`.
   * @default {null}
   */
  curveServerKey: CurveKeyLike | null;
  /**
   * What the ZAP handler is told about where the peer wants to come in. With a domain, peers without security (NULL) are
   * asked for too. `ZMQ_ZAP_DOMAIN`.
   * @default {null}
   */
  zapDomain: string | null;
  /**
   * With `true`, nobody is let in without a ZAP handler if there is a domain, and CURVE does without a handler if there is
   * none. `ZMQ_ZAP_ENFORCE_DOMAIN`.
   * @default {false}
   */
  zapEnforceDomain: boolean;
}

/** Keys as they can be given: Z85 text of 40 characters, or 32 octets. */
export type CurveKeyLike = string | Uint8Array;
