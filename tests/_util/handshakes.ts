// Every way in which a raw peer can break the handshake, and what it is called.

import { utf8 } from "./bytes.ts";
import { concat } from "./octets.ts";
import { command, frame, greeting, longHeader, ready } from "./raw_zmtp.ts";

/** What a peer sends, the code of the error, and words of its text. */
export interface BrokenHandshake {
  readonly octets: Uint8Array;
  readonly code: string;
  readonly says: readonly string[];
}

const MALFORMED = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const METADATA = "ERR_ZMTP_INVALID_METADATA";
const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const UNSPECIFIED = "ERR_ZMTP_UNSPECIFIED";
const COMMAND = 4;

/** A READY whose dictionary is given as octets. */
function readyOf(...octets: number[]): Uint8Array {
  return command("READY", Uint8Array.from(octets));
}

function error(reason: string): Uint8Array {
  return command("ERROR", concat(Uint8Array.of(reason.length), utf8(reason)));
}

const after = (octets: Uint8Array): Uint8Array => concat(greeting(), octets);

/** For a socket that talks to PUSH, and not to PUB. */
export const BROKEN_HANDSHAKES: Readonly<Record<string, BrokenHandshake>> = {
  "speaks HTTP": {
    octets: utf8("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    code: UNSPECIFIED,
    says: ["GET / HTTP"],
  },
  "has a signature without its last octet": {
    octets: concat(Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 9, 9, 0x7e), greeting().subarray(10)),
    code: UNSPECIFIED,
    says: ["ZMTP 1.0", "2313", "256"],
  },
  "speaks ZMTP 2.0 with a type that nobody knows": {
    octets: concat(greeting().subarray(0, 10), Uint8Array.of(1, 11, 0, 0)),
    code: UNSPECIFIED,
    says: ["ZMTP 2.0", "11"],
  },
  "wants the mechanism PLAIN": {
    octets: greeting("PLAIN"),
    code: "ERR_ZMTP_MECHANISM_MISMATCH",
    says: ["PLAIN", "NULL"],
  },
  "is of the wrong type": { octets: after(ready("PUB")), code: METADATA, says: ["PUB"] },
  "is of a type that nobody knows": {
    octets: after(ready("NOSUCHTYPE")),
    code: METADATA,
    says: ["NOSUCHTYPE"],
  },
  "is of two types": {
    octets: after(
      command("READY", concat(ready("PUSH").subarray(8), ready("PAIR").subarray(8))),
    ),
    code: METADATA,
    says: ["metadata"],
  },
  "has a property that ends too early": {
    octets: after(readyOf(1, 0x58, 0, 0, 0, 9, 1)),
    code: METADATA,
    says: ["metadata"],
  },
  "has a property with a name that ends too early": {
    octets: after(readyOf(20, 0x58)),
    code: METADATA,
    says: ["metadata"],
  },
  "has a property without a name": {
    octets: after(readyOf(0, 0, 0, 0, 0)),
    code: METADATA,
    says: ["metadata"],
  },
  "has a routing id of 256 octets": {
    octets: after(ready("PUSH", new Uint8Array(256).fill(0x61))),
    code: METADATA,
    says: ["256"],
  },
  "announces a command of a gigabyte": {
    octets: after(longHeader(1_000_000_000n, COMMAND)),
    code: "EMSGSIZE",
    says: ["1000000000"],
  },
  "sends a message where READY belongs": {
    octets: after(frame("hello")),
    code: UNEXPECTED,
    says: ["0x00"],
  },
  "sends a command that does not belong there": {
    octets: after(command("PING", Uint8Array.of(0, 0))),
    code: UNEXPECTED,
    says: ["PING"],
  },
  "sends a command without a name": {
    octets: after(Uint8Array.of(COMMAND, 1, 0)),
    code: MALFORMED,
    says: ["name"],
  },
  "sends flags that do not exist": {
    octets: after(Uint8Array.of(0x44, 1, 0)),
    code: UNEXPECTED,
    says: ["0x44"],
  },
  "refuses with a reason": {
    octets: after(error("you are not welcome")),
    code: UNSPECIFIED,
    says: ["you are not welcome"],
  },
  "refuses without a reason": { octets: after(error("")), code: UNSPECIFIED, says: ["no reason"] },
  "refuses in a malformed way": {
    octets: after(command("ERROR", Uint8Array.of(5, 0x61))),
    code: "ERR_ZMTP_MALFORMED_COMMAND_ERROR",
    says: ["ERROR"],
  },
};
