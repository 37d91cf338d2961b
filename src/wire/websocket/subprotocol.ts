// The subprotocols of ZeroMQ over WebSocket: which mechanism they stand for (RFC 45), or none at all (RFC 45 and 39).

import type { MechanismName } from "../greeting.ts";
import { peersOf, SOCKET_TYPE_ID, type SocketType } from "../socket_type.ts";

/** With a mechanism. A page must not offer a name with a slash, so that there is one without, for peers of this package. */
const WITH_MECHANISM = /^ZWS2\.0[/-](NULL|PLAIN|CURVE)$/;

/**
 * What a client offers, the best first: `ZWS2.0/NULL` and `ZWS2.0`, or the one of its mechanism. A `type` in the endpoint's
 * query says that peers of ZWS 1.0 are welcome too.
 *
 * @param mechanism The mechanism of this side.
 * @param path The endpoint's path, with its query.
 * @param page Use names that a page's WebSocket takes: `ZWS2.0-NULL`.
 */
export function offersOf(
  mechanism: MechanismName,
  path: string = "",
  page: boolean = false,
): readonly string[] {
  const offers = [`ZWS2.0${page ? "-" : "/"}${mechanism}`];
  if (mechanism !== "NULL") return offers;
  offers.push("ZWS2.0");
  if (typeIn(path) !== undefined) offers.push("ZWS1.0");
  return offers;
}

/**
 * The first of the offered subprotocols that this side speaks; undefined when there is none.
 *
 * @param offered As the client prefers them.
 * @param mechanism The mechanism of this side.
 * @param path The path of the request, with its query: ZWS 1.0 needs the client's type there.
 * @param type The type of this side, which the client's must go with. A client's type is not looked at without it.
 */
export function chooseProtocol(
  offered: readonly string[],
  mechanism: MechanismName,
  path: string,
  type?: SocketType,
): string | undefined {
  return offered.find((offer) => {
    const wanted = WITH_MECHANISM.exec(offer)?.[1];
    if (wanted !== undefined) return wanted === mechanism;
    return mechanism === "NULL" &&
      (offer === "ZWS2.0" || (offer === "ZWS1.0" && isWelcome(typeIn(path), type)));
  });
}

/** The mechanism of a subprotocol; undefined for those without commands. */
export function mechanismIn(protocol: string): MechanismName | undefined {
  return WITH_MECHANISM.exec(protocol)?.[1] as MechanismName | undefined;
}

/** True for a subprotocol that has commands, because it has a mechanism. */
export function hasMechanism(protocol: string): boolean {
  return WITH_MECHANISM.test(protocol);
}

/** The socket type in the query of a path; undefined where there is none that exists. */
function typeIn(path: string): SocketType | undefined {
  const at = path.indexOf("?");
  if (at < 0) return undefined;
  const types = new URLSearchParams(path.slice(at)).getAll("type");
  const [type] = types;
  return types.length === 1 && Object.hasOwn(SOCKET_TYPE_ID, type) && type !== "STREAM"
    ? type as SocketType
    : undefined;
}

function isWelcome(theirs: SocketType | undefined, ours: SocketType | undefined): boolean {
  return theirs !== undefined && (ours === undefined || peersOf(ours).includes(theirs));
}
