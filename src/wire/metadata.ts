// The dictionary of a READY command: properties with a short name and an octet string (RFC 37, "Metadata").

import { ProtocolError } from "../errors.ts";

/** Properties by their names in lower case; names compare without regard to case. */
export type Metadata = ReadonlyMap<string, Uint8Array>;

const NAME = /^[A-Za-z0-9\-_.+]+$/;
const text = new TextDecoder("latin1");

/** The octets of `properties`, in their order. */
export function encodeMetadata(
  properties: ReadonlyArray<readonly [string, Uint8Array]>,
): Uint8Array {
  const size = properties.reduce((sum, [name, value]) => sum + 5 + name.length + value.length, 0);
  const octets = new Uint8Array(size);
  const view = new DataView(octets.buffer);
  let at = 0;
  for (const [name, value] of properties) {
    octets[at++] = name.length;
    for (let i = 0; i < name.length; i++) octets[at++] = name.charCodeAt(i);
    view.setUint32(at, value.length);
    octets.set(value, at + 4);
    at += 4 + value.length;
  }
  return octets;
}

/**
 * Reads a dictionary, which must fill the octets exactly. Of a name that comes twice the first value counts;
 * a peer cannot have two socket types, though.
 *
 * @throws {ProtocolError} `ERR_ZMTP_INVALID_METADATA`
 */
export function decodeMetadata(octets: Uint8Array): Metadata {
  const properties = new Map<string, Uint8Array>();
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  for (let at = 0; at < octets.length;) {
    const nameEnd = at + 1 + octets[at];
    if (octets[at] === 0 || nameEnd + 4 > octets.length) {
      throw malformed("a property's name is empty or cut off");
    }
    const name = text.decode(octets.subarray(at + 1, nameEnd));
    if (!NAME.test(name)) throw malformed("a property's name has characters that are not allowed");
    const end = nameEnd + 4 + view.getUint32(nameEnd);
    if (end > octets.length) throw malformed(`the value of ${name} is cut off`);
    const key = name.toLowerCase();
    const value = octets.slice(nameEnd + 4, end);
    const first = properties.get(key);
    if (first === undefined) properties.set(key, value);
    else if (key === "socket-type" && text.decode(first) !== text.decode(value)) {
      throw malformed("it has two different socket types");
    }
    at = end;
  }
  return properties;
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(
    "ERR_ZMTP_INVALID_METADATA",
    `The peer's metadata is malformed: ${what}`,
  );
}
