// Checks on the receiving half of a CURVE connection.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { textOf } from "./bytes.ts";
import { CurveReceiver, type CurveReceiverOptions } from "./curve_receiver.ts";
import { concat } from "./octets.ts";

/** Uses a receiver that is freed whatever happens. */
export function receiving(
  use: (receiver: CurveReceiver) => void,
  options?: CurveReceiverOptions,
): void {
  const receiver = new CurveReceiver(options);
  try {
    use(receiver);
  } finally {
    receiver.free();
  }
}

/** Checks what broke it. */
export function assertFault(receiver: CurveReceiver, code: string, says: RegExp = /./): void {
  assert(receiver.fault instanceof ProtocolError, `no fault; ${receiver.messages.length} messages`);
  assertEquals(receiver.fault.code, code, receiver.fault.message);
  assertMatch(receiver.fault.message, says);
}

/** Checks that octets break a receiver whole, in pieces and with more behind them, and deliver only what is given. */
export function assertBreaks(
  make: (receiver: CurveReceiver) => Uint8Array,
  code: string | ((receiver: CurveReceiver) => void),
  delivered: readonly string[][] = [],
  options?: CurveReceiverOptions,
): void {
  const check = (receiver: CurveReceiver): void => {
    if (typeof code === "string") assertFault(receiver, code);
    else code(receiver);
    assertEquals(receiver.messages.map((frames) => frames.map(textOf)), delivered);
    assertEquals(receiver.commands, []);
  };
  const ways: ((receiver: CurveReceiver) => void)[] = [
    (receiver) => receiver.read(make(receiver)),
    (receiver) => receiver.read(make(receiver), 1),
    (receiver) => receiver.readPieces(make(receiver), [3, 40, 7]),
    (receiver) => receiver.read(concat(make(receiver), receiver.peer.send("behind", "it"))),
  ];
  for (const way of ways) {
    receiving((receiver) => {
      way(receiver);
      check(receiver);
    }, options);
  }
}
