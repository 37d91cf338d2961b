// The HTTP part of a WebSocket: whatever a stranger says, in any pieces, is a request that means the same to everybody, or it
// is refused with an answer that is one; whatever a server answers is a subprotocol that was offered, or an error of ours.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeClose, encodeClose } from "../../../src/wire/websocket/close.ts";
import { HttpRefusal, WebSocketFault } from "../../../src/wire/websocket/fault.ts";
import { HEAD_LIMIT, HeadReader } from "../../../src/wire/websocket/head.ts";
import { decodeRequest, encodeRequest } from "../../../src/wire/websocket/request.ts";
import { checkResponse, encodeRefusal } from "../../../src/wire/websocket/response.ts";
import { textOf, utf8 } from "../../_util/bytes.ts";
import { assertOctets, concat } from "../../_util/octets.ts";
import { type Fields, KEY, requestOf, responseOf } from "../../_util/upgrade.ts";
import { drawCuts, drawText, pieces } from "../draws.ts";
import { maybeMutate } from "../mutate.ts";
import type { Tape } from "../tape.ts";
import { checkError, checkProtocolError, type Target } from "../target.ts";

interface Input {
  readonly octets: Uint8Array;
  readonly asks: boolean;
  readonly cuts: readonly number[];
  readonly close: Uint8Array;
}

const OFFERED = ["ZWS2.0/NULL", "ZWS2.0"];

const NAMES = [
  ...["Host", "Upgrade", "Connection", "Origin", "Cookie", "Location", "Content-Length"],
  ...["Transfer-Encoding", "Sec-WebSocket-Key", "Sec-WebSocket-Version"],
  ...["Sec-WebSocket-Protocol", "Sec-WebSocket-Accept", "Sec-WebSocket-Extensions"],
];

const WORDS = [
  ...["websocket", "Upgrade", "close", "13", "8", KEY, "ZWS2.0", "ZWS2.0/NULL", "ZWS1.0", ","],
  ...[" ", "\t", "chunked", "0", "a:1", "[::1]", "\u00e9", '"', "permessage-deflate", "\r\n", ":"],
];

const STARTS = [
  ...["GET / HTTP/1.1", "GET /a?type=DEALER HTTP/1.1", "POST / HTTP/1.1", "GET / HTTP/1.0"],
  ...["GET http://a/b HTTP/1.1", "GET  / HTTP/1.1", "HTTP/1.1 101 x", "HTTP/1.1 404", ""],
];

function drawFields(tape: Tape): Fields {
  return Object.fromEntries(
    tape.list(3, () => {
      const value = () => drawText(tape, WORDS, 4);
      return [tape.pick(NAMES), tape.pick([value(), [value(), value()], undefined])];
    }),
  );
}

export const upgrade: Target<Input> = {
  name: "upgrade",
  draw(tape) {
    const asks = tape.oneIn(2);
    const start = tape.oneIn(3) ? tape.pick(STARTS) : undefined;
    const head = asks ? responseOf(drawFields(tape), start) : requestOf(drawFields(tape), start);
    const long = tape.oneIn(20) ? utf8("x".repeat(tape.between(8_000, 8_400))) : utf8("");
    return {
      octets: concat(long, maybeMutate(tape, head), tape.octets(tape.below(10))),
      asks,
      cuts: drawCuts(tape),
      close: maybeMutate(tape, encodeClose(tape.below(65_536), drawText(tape, WORDS, 6))),
    };
  },
  check({ octets, asks, cuts, close }) {
    const head = checkHead(octets, cuts);
    if (head !== undefined) (asks ? checkAnswer : checkAsked)(head);
    checkClose(close);
  },
};

/** The head, which comes out the same however it is cut. */
function checkHead(octets: Uint8Array, cuts: readonly number[]): Uint8Array | undefined {
  const whole = outcome(() => read([octets]));
  const cut = outcome(() => read(pieces(octets, cuts)));
  if (whole instanceof HttpRefusal || cut instanceof HttpRefusal) {
    assert(whole instanceof HttpRefusal && cut instanceof HttpRefusal);
    assertEquals([cut.status, cut.text], [whole.status, whole.text]);
    checkRefusal(whole);
    return undefined;
  }
  if (whole === undefined || cut === undefined) {
    assertEquals(cut, whole);
    return undefined;
  }
  assertOctets(cut, whole, "head");
  assert(whole.length <= HEAD_LIMIT);
  assertOctets(whole, octets.subarray(0, whole.length), "head");
  const text = String.fromCharCode(...whole);
  assertEquals(text.indexOf("\r\n\r\n"), text.length - 4);
  return whole;
}

function read(parts: Iterable<Uint8Array>): Uint8Array | undefined {
  const reader = new HeadReader();
  for (const part of parts) {
    const { head, taken } = reader.receive(part);
    if (head !== undefined) return head;
    assertEquals(taken, part.length);
  }
  return undefined;
}

function outcome<T>(call: () => T): T | HttpRefusal {
  try {
    return call();
  } catch (error) {
    if (error instanceof HttpRefusal) return error;
    throw error;
  }
}

function checkAsked(head: Uint8Array): void {
  const request = outcome(() => decodeRequest(head));
  if (request instanceof HttpRefusal) return checkRefusal(request);
  // What was read says the same again, and nothing else.
  const { origin: _, ...again } = decodeRequest(encodeRequest(request));
  assertEquals({ ...again, origin: request.origin }, request);
}

function checkAnswer(head: Uint8Array): void {
  try {
    assert(OFFERED.includes(checkResponse(head, KEY, OFFERED)));
  } catch (error) {
    assertOneLine(checkError(error).message);
  }
}

/** What the peer is told is one response, and one line of a log. */
function checkRefusal(refusal: HttpRefusal): void {
  checkProtocolError(refusal.error);
  assertOneLine(refusal.text);
  const [head, body, ...others] = textOf(encodeRefusal(refusal)).split("\r\n\r\n");
  assertEquals([body, others], [`${refusal.text}\n`, []]);
  assertMatch(head, /^HTTP\/1\.1 [45]\d\d [^]*\r\nContent-Length: \d+$/);
}

function assertOneLine(text: string): void {
  const isControl = (char: string) => char < " " || (char >= "\x7f" && char <= "\x9f");
  assert(text !== "" && ![...text].some(isControl), JSON.stringify(text));
}

function checkClose(payload: Uint8Array): void {
  try {
    const { code, reason } = decodeClose(payload);
    if (payload.length <= 125) assertOctets(encodeClose(code, reason), payload, "close");
  } catch (error) {
    if (!(error instanceof WebSocketFault)) throw error;
    assert(error.closeCode === 1002 || error.closeCode === 1007);
    checkProtocolError(error.error);
  }
}
