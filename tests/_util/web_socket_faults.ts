// What a peer must not say on an open WebSocket, and the close code that it gets for it (RFC 6455, section 7.4.1). The cases
// are those of the Autobahn test suite that concern binary messages, and those that ZeroMQ adds.

import { fromHex } from "./bytes.ts";
import { concat } from "./octets.ts";
import {
  bodied,
  CLOSE,
  closing,
  CONTINUATION,
  PING,
  PONG,
  type RawWebSocket,
  TEXT,
} from "./raw_web_socket.ts";

/** The longest message that the sockets under test take, in octets. */
export const LIMIT = 10_000;

/** Octets that end a connection. */
export interface Fault {
  readonly name: string;
  readonly octets: (peer: RawWebSocket) => Uint8Array;
  /** What the peer is told. */
  readonly closeCode: number;
  /** What this side's event says. */
  readonly code: string;
}

const FRAME = "ERR_WS_FRAME";

function fault(
  name: string,
  octets: (peer: RawWebSocket) => Uint8Array,
  closeCode: number = 1002,
  code: string = FRAME,
): Fault {
  return { name, octets, closeCode, code };
}

/** Octets of zero behind a header whose length is a lie would never all come. */
const BODY = new Uint8Array(LIMIT);

const RESERVED = [1, 2, 3, 4, 5, 6, 7].map((reserved) =>
  fault(
    `reserved bits ${reserved} (Autobahn 3.${reserved})`,
    (peer) => peer.frame("\0a", { reserved }),
  )
);

const OPCODES = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode, i) =>
  fault(
    `the unknown opcode ${opcode} (Autobahn 4.${i < 5 ? 1 : 2}.${i % 5 + 1})`,
    (peer) => peer.frame("\0a", { opcode }),
  )
);

const CLOSE_CODES = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map(
  (closeCode) =>
    fault(
      `a close frame with the code ${closeCode} (Autobahn 7.9, 7.13)`,
      (peer) => peer.frame(closing(closeCode), { opcode: CLOSE }),
      1002,
      "ERR_WS_CLOSE",
    ),
);

/** All of them, for both sides. */
export const FAULTS: readonly Fault[] = [
  ...RESERVED,
  ...OPCODES,
  ...CLOSE_CODES,
  fault(
    "a control frame with reserved bits (Autobahn 3)",
    (peer) => peer.frame("", { opcode: PING, reserved: 4 }),
  ),
  fault(
    "a mask where none may be, or none where one must be (ZWS2-FRAME-04)",
    (peer) => peer.frame("\0a", { masked: !isMasking(peer) }),
  ),
  fault(
    "a ping with a mask where none may be, or none where one must be (ZWS2-FRAME-04)",
    (peer) => peer.frame("", { opcode: PING, masked: !isMasking(peer) }),
  ),
  fault(
    "a text message (ZWS2-FRAME-01)",
    (peer) => peer.frame("\0a", { opcode: TEXT }),
    1003,
  ),
  fault(
    "an empty text message (ZWS2-FRAME-01)",
    (peer) => peer.frame("", { opcode: TEXT }),
    1003,
  ),
  fault(
    "the first fragment of a text message (ZWS2-FRAME-01)",
    (peer) => peer.frame("\0a", { opcode: TEXT, fin: false }),
    1003,
  ),
  fault("an empty message (ZWS2-FRAME-02)", (peer) => peer.frame("")),
  fault(
    "an empty message in fragments (ZWS2-FRAME-02)",
    (peer) => concat(peer.frame("", { fin: false }), peer.frame("", { opcode: CONTINUATION })),
  ),
  fault("the unknown flags 3", (peer) => peer.frame(bodied(3, "a"))),
  fault("the unknown flags 4", (peer) => peer.frame(bodied(4, "a"))),
  fault("the unknown flags 255", (peer) => peer.frame(bodied(255, "a"))),
  fault(
    "unknown flags in the second fragment of a message",
    (peer) => concat(peer.frame("", { fin: false }), peer.frame("\x09a", { opcode: CONTINUATION })),
  ),
  fault(
    "a continuation of nothing, the last (Autobahn 5.12)",
    (peer) => peer.frame("\0a", { opcode: CONTINUATION }),
  ),
  fault(
    "a continuation of nothing, not the last (Autobahn 5.14)",
    (peer) => peer.frame("\0a", { opcode: CONTINUATION, fin: false }),
  ),
  fault(
    "a message inside a fragmented one (Autobahn 5.18)",
    (peer) => concat(peer.frame("\0a", { fin: false }), peer.frame("\0b")),
  ),
  fault(
    "a text message inside a fragmented one",
    (peer) => concat(peer.frame("\0a", { fin: false }), peer.frame("b", { opcode: TEXT })),
    1003,
  ),
  fault(
    "a fragmented ping (Autobahn 5.1)",
    (peer) =>
      concat(
        peer.frame("fragment1", { opcode: PING, fin: false }),
        peer.frame("fragment2", { opcode: CONTINUATION }),
      ),
  ),
  fault(
    "a fragmented pong (Autobahn 5.2)",
    (peer) => peer.frame("fragment1", { opcode: PONG, fin: false }),
  ),
  fault(
    "a fragmented close",
    (peer) => peer.frame(closing(1000), { opcode: CLOSE, fin: false }),
  ),
  fault(
    "a ping of 126 octets (Autobahn 2.5)",
    (peer) => peer.frame(BODY.subarray(0, 126), { opcode: PING }),
  ),
  fault(
    "a ping whose length has more octets than it needs",
    (peer) => peer.frame("a", { opcode: PING, lengthOctets: 2 }),
  ),
  fault(
    "a close of 126 octets (Autobahn 7.3.6)",
    (peer) => peer.frame(closing(1000, BODY.subarray(0, 124)), { opcode: CLOSE }),
  ),
  fault(
    "half a close code (Autobahn 7.3.2)",
    (peer) => peer.frame(Uint8Array.of(3), { opcode: CLOSE }),
    1002,
    "ERR_WS_CLOSE",
  ),
  fault(
    "a reason to close that is not UTF-8 (Autobahn 7.5.1)",
    (peer) =>
      peer.frame(closing(1000, fromHex("cebae1bdb9cf83cebcceb5eda080656469746564")), {
        opcode: CLOSE,
      }),
    1007,
    "ERR_WS_CLOSE",
  ),
  fault("a length of 2 in two octets", (peer) => peer.frame("\0a", { lengthOctets: 2 })),
  fault("a length of 2 in eight octets", (peer) => peer.frame("\0a", { lengthOctets: 8 })),
  fault(
    "a length of 125 in two octets",
    (peer) => peer.frame(BODY.subarray(0, 125), { lengthOctets: 2 }),
  ),
  fault(
    "a length of 9 000 in eight octets",
    (peer) => peer.frame(BODY.subarray(0, 9_000), { lengthOctets: 8 }),
  ),
  fault("a frame of 2^63 octets", (peer) => peer.frame("\0a", { announced: 1n << 63n })),
  fault("a frame of 2^64 - 1 octets", (peer) => peer.frame("\0a", { announced: (1n << 64n) - 1n })),
  fault(
    "a frame of 2^63 - 1 octets",
    (peer) => peer.frame("\0a", { announced: (1n << 63n) - 1n }),
    1009,
    "EMSGSIZE",
  ),
  fault(
    "a frame of 2^32 octets",
    (peer) => peer.frame("\0a", { announced: 1n << 32n }),
    1009,
    "EMSGSIZE",
  ),
  fault(
    "a message of one octet more than maxMessageSize",
    (peer) => peer.frame("\0a", { announced: BigInt(LIMIT) + 2n }),
    1009,
    "EMSGSIZE",
  ),
  fault(
    // Its bound is a little higher where the message might be sealed.
    "fragments of more than maxMessageSize together",
    (peer) =>
      concat(
        peer.frame(BODY.subarray(0, 6_000), { fin: false }),
        peer.frame(BODY.subarray(0, 4_000), { opcode: CONTINUATION, fin: false }),
        peer.frame(BODY.subarray(0, 200), { opcode: CONTINUATION, fin: false }),
      ),
    1009,
    "EMSGSIZE",
  ),
  fault(
    "a fragment that announces 2^40 octets",
    (peer) =>
      concat(
        peer.frame("\0a", { fin: false }),
        peer.frame("a", { opcode: CONTINUATION, announced: 1n << 40n }),
      ),
    1009,
    "EMSGSIZE",
  ),
];

function isMasking(peer: RawWebSocket): boolean {
  return peer.frame("")[1] >= 0x80;
}
