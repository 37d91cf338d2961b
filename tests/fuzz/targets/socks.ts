// A SOCKS proxy that answers anything, in any pieces: a connection or an error with a code, never both, never neither.

import { assertEquals } from "@std/assert";
import type { TcpEndpoint } from "../../../src/endpoint.ts";
import { ZmqError } from "../../../src/errors.ts";
import { throughProxy } from "../../../src/link/socks.ts";
import type { ByteSink } from "../../../src/link/stream.ts";
import { defaultOptions } from "../../../src/option_values.ts";
import { fromHex } from "../../_util/bytes.ts";
import { FakeStream } from "../../_util/fake_stream.ts";
import { microtasks } from "../../_util/manual_clock.ts";
import { assertOctets, concat } from "../../_util/octets.ts";
import { drawCuts, pieces } from "../draws.ts";
import { maybeMutate } from "../mutate.ts";
import { checkError, type Target } from "../target.ts";

interface Input {
  readonly host: string;
  readonly named: boolean;
  readonly octets: Uint8Array;
  readonly cuts: readonly number[];
}

const ANSWERS = ["0500", "0502", "05ff", "0400", "0100", "0101"].map(fromHex);
const REPLIES = [
  "05000001" + "7f000001" + "1234",
  "05000004" + "00".repeat(16) + "1234",
  "0500000304" + "61626364" + "1234",
  "0501000100000000" + "0000",
  "0505000100000000" + "0000",
  "0509000100000000" + "0000",
].map(fromHex);

/** How many octets the proxy's words have, when they lead to a connection. */
function lengthOf(octets: Uint8Array, named: boolean): number | undefined {
  let at = 2;
  if (octets.length < 2 || octets[0] !== 5) return undefined;
  if (octets[1] === 2 && named) {
    if (octets.length < 4 || octets[3] !== 0) return undefined;
    at = 4;
  } else if (octets[1] !== 0) return undefined;
  const reply = octets.subarray(at);
  if (reply.length < 5 || reply[0] !== 5 || reply[1] !== 0) return undefined;
  const sizes: Readonly<Record<number, number>> = { 1: 4, 3: 1 + reply[4], 4: 16 };
  const size = sizes[reply[3]];
  if (size === undefined || reply.length < 6 + size) return undefined;
  return at + 6 + size;
}

export const socks: Target<Input> = {
  name: "socks",
  draw(tape) {
    const words = concat(
      tape.pick(ANSWERS),
      tape.oneIn(3) ? tape.pick(ANSWERS) : new Uint8Array(0),
      tape.pick(REPLIES),
      tape.octets(tape.below(20)),
    );
    return {
      host: tape.pick(["127.0.0.1", "::1", "example.org", "x".repeat(256)]),
      named: tape.oneIn(2),
      octets: maybeMutate(tape, words),
      cuts: drawCuts(tape),
    };
  },
  async check({ host, named, octets, cuts }) {
    const stream = new FakeStream();
    const endpoint: TcpEndpoint = { transport: "tcp", host, port: 80, text: "", source: undefined };
    const options = {
      ...defaultOptions(),
      ...(named && { socksUsername: "me", socksPassword: "secret" }),
    };
    const came: Uint8Array[] = [];
    let outcome: "open" | ZmqError | undefined;
    const attempt = throughProxy(stream, endpoint, options, new AbortController().signal).then(
      (through) => {
        outcome = "open";
        through.start(sinkFor(came));
      },
      (error) => void (outcome = checkError(error)),
    );
    for (const piece of pieces(octets, cuts)) {
      if (outcome instanceof ZmqError) break;
      stream.deliver(piece);
      await microtasks();
    }
    stream.end();
    await attempt;
    const length = host.length > 255 ? undefined : lengthOf(octets, named);
    assertEquals(outcome === "open", length !== undefined);
    if (length !== undefined) assertOctets(concat(...came), octets.subarray(length));
  },
};

/** Keeps what comes through. */
function sinkFor(came: Uint8Array[]): ByteSink {
  const memory = new Uint8Array(100);
  return {
    target: () => memory,
    filled: (count) => void came.push(memory.slice(0, count)),
    written: () => {},
    closed: () => {},
  };
}
