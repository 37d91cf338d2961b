// Commands during traffic: a name and data as a plain reading has them, PINGs answered, errors only of the known kinds.

import { assertEquals } from "@std/assert";
import { codeOf, ZmqError } from "../../../src/errors.ts";
import type { Session } from "../../../src/session/session.ts";
import {
  type Command,
  decodeCommand,
  decodeError,
  encodeCommand,
} from "../../../src/wire/command.ts";
import { encodeCommandForm, isRequest } from "../../../src/wire/subscription.ts";
import { textOf, toHex, utf8 } from "../../_util/bytes.ts";
import { concat, sameOctets } from "../../_util/octets.ts";
import { command } from "../../_util/raw_zmtp.ts";
import { converse, newSession, outputOf } from "../../_util/session_pair.ts";
import { drawBody, drawTopic } from "../draws.ts";
import { maybeMutate } from "../mutate.ts";
import type { Tape } from "../tape.ts";
import { checkProtocolError, type Target } from "../target.ts";

interface Input {
  readonly body: Uint8Array;
}

const NAMES = ["PING", "PONG", "SUBSCRIBE", "CANCEL", "ERROR", "READY", "JOIN", "x", "ABCDEFGHIJ"];

function drawBodyOf(tape: Tape): Uint8Array {
  switch (tape.below(5)) {
    case 0:
      return encodeCommandForm(tape.below(2), drawTopic(tape));
    case 1:
      return concat(utf8("\x04PING"), tape.octets(tape.below(22)));
    case 2:
      return concat(utf8("\x05ERROR"), Uint8Array.of(tape.octet()), tape.octets(tape.below(9)));
    case 3:
      return concat(utf8("^RROR"), Uint8Array.of(tape.octet()), tape.octets(tape.below(9)));
  }
  const name = tape.pick(NAMES);
  return concat(Uint8Array.of(name.length), utf8(name), drawBody(tape, 2_000));
}

/** The name and the data; undefined when there is no whole name of letters. */
function plainly(body: Uint8Array): Command | undefined {
  // libzmq's PLAIN server forgets an octet of ERROR.
  if (body[0] === 94 && textOf(body.subarray(1, 5)) === "RROR" && body.length - 6 === body[5]) {
    return { name: "ERROR", data: body.subarray(5) };
  }
  if (body.length === 0 || body.length < 1 + body[0]) return undefined;
  const letters = [...body.subarray(1, 1 + body[0])].map((octet) => String.fromCharCode(octet));
  if (letters.length === 0 || !letters.every((letter) => /[a-zA-Z]/.test(letter))) return undefined;
  return { name: letters.join(""), data: body.subarray(1 + letters.length) };
}

/** A session past its handshake. */
function inTraffic(): Session {
  const session = newSession("XPUB");
  converse(session, newSession("XSUB"));
  outputOf(session);
  return session;
}

let session = inTraffic();

export const commands: Target<Input> = {
  name: "commands",
  draw: (tape) => ({ body: maybeMutate(tape, drawBodyOf(tape)) }),
  check({ body }) {
    const expected = plainly(body);
    let actual: Command | undefined;
    try {
      actual = decodeCommand(body);
    } catch (error) {
      assertEquals(codeOf(checkProtocolError(error)), "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED");
    }
    assertEquals([actual?.name, toHex(actual?.data ?? body)], [
      expected?.name,
      toHex(expected?.data ?? body),
    ]);
    if (actual !== undefined && body[0] !== 94) {
      const encoded = encodeCommand(actual.name, actual.data);
      assertEquals(sameOctets(encoded, command(actual.name, actual.data)), true);
    }
    if (actual?.name === "ERROR") checkReason(actual.data);
    checkSession(body, expected);
    isRequest(body);
  },
};

function checkReason(data: Uint8Array): void {
  try {
    assertEquals(decodeError(data).length, data[0]);
    assertEquals(data.length, 1 + data[0]);
  } catch (error) {
    if (!(error instanceof ZmqError)) throw error;
    assertEquals(codeOf(checkProtocolError(error)), "ERR_ZMTP_MALFORMED_COMMAND_ERROR");
  }
}

/** A PING has a time to live and a context, a PONG the context alone. */
export function fits(name: string, size: number): boolean {
  if (name === "PING") return size >= 2 && size <= 18;
  return name !== "PONG" || size <= 16;
}

/** A PING is answered with its context, or ends the session; other commands are passed on. */
function checkSession(body: Uint8Array, expected: Command | undefined): void {
  const sound = expected !== undefined && fits(expected.name, expected.data.length);
  let failed = false;
  if (session.state !== "traffic") session = inTraffic();
  try {
    const answer = session.command(body);
    assertEquals(answer?.name, expected?.name === "PING" ? undefined : expected?.name);
  } catch (error) {
    if (!(error instanceof ZmqError)) throw error;
    checkProtocolError(error);
    failed = true;
  }
  assertEquals([failed, session.state], [!sound, sound ? "traffic" : "failed"]);
  const output = outputOf(session);
  const pings = sound && expected.name === "PING";
  assertEquals(output, pings ? command("PONG", expected.data.subarray(2)) : new Uint8Array(0));
  if (!pings) return;
  const tenths = expected.data[0] * 256 + expected.data[1];
  assertEquals(session.timeToLive, tenths * 100);
}
