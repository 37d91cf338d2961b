// Endpoints and networks as text: an address of the right shape, or the error for a wrong one.

import { assertEquals } from "@std/assert";
import {
  type Endpoint,
  formatEndpoint,
  type NetworkEndpoint,
  parseEndpoint,
} from "../../../src/endpoint.ts";
import { EndpointError } from "../../../src/errors.ts";
import { addressOctets, isInNetwork, parseNetwork } from "../../../src/networks.ts";
import { drawText } from "../draws.ts";
import { checkArgumentError, type Target } from "../target.ts";

interface Input {
  readonly text: string;
  readonly address: string;
  readonly network: string;
}

const WORDS = [
  "tcp://",
  "ipc://",
  "inproc://",
  "TCP://",
  "udp://",
  "ws://",
  "wss://",
  "WS://",
  "/a b",
  "?x=y",
  "#",
  "127.0.0.1",
  "[::1]",
  "::ffff:1.2.3.4",
  "[fe80::1%eth0]",
  "localhost",
  "*",
  ":",
  ":5555",
  ":65535",
  ":65536",
  ":0",
  ":*",
  ";",
  "@",
  "/",
  "/24",
  "/129",
  "é",
  "x".repeat(108),
  "x".repeat(257),
  "1.2.3.4",
  "255",
  "256",
  ".",
  "fe80",
];

/** What means something to the parsers of URLs that platforms have. */
const MARKS = ["@", ":", "?", "#", "/", "\\", "[", "]", "%", "::1", "a", ".", "%25", "0x1"];

export const endpoints: Target<Input> = {
  name: "endpoints",
  draw: (tape) => ({
    text: tape.oneIn(4)
      ? `tcp://[${drawText(tape, MARKS, 6)}]:80`
      : tape.pick(["tcp://", "ws://", "wss://", "ipc://", "inproc://", ""]) +
        drawText(tape, WORDS, 6),
    address: drawText(tape, tape.oneIn(2) ? MARKS : WORDS, 5),
    network: drawText(tape, tape.oneIn(2) ? MARKS : WORDS, 5),
  }),
  check({ text, address, network }) {
    for (const use of ["bind", "connect"] as const) {
      let endpoint: Endpoint;
      try {
        endpoint = parseEndpoint(text, use);
      } catch (error) {
        if (!(error instanceof EndpointError)) throw error;
        checkArgumentError(error);
        continue;
      }
      checkEndpoint(endpoint, text, use);
    }
    const octets = addressOctets(address);
    if (octets !== undefined) checkOctets(octets);
    const parsed = parseNetwork(network);
    if (parsed === undefined) return;
    checkOctets(parsed.octets);
    assertEquals(parsed.bits >= 0 && parsed.bits <= 8 * parsed.octets.length, true);
    isInNetwork(address, parsed);
    const own = network.replace(/\/\d+$/, "");
    assertEquals(isInNetwork(own, parsed), true, "an address is in its own network");
  },
};

function checkOctets(octets: readonly number[]): void {
  assertEquals([4, 16].includes(octets.length), true);
  assertEquals(octets.every((octet) => Number.isInteger(octet) && octet >= 0 && octet < 256), true);
}

function checkEndpoint(endpoint: Endpoint, text: string, use: "bind" | "connect"): void {
  assertEquals(endpoint.text, text);
  if (endpoint.transport === "inproc") return assertEquals(endpoint.name.length > 0, true);
  if (endpoint.transport === "ipc") return assertEquals(endpoint.path.length > 0, true);
  const { host, port } = endpoint;
  if (host.includes(":")) assertEquals(/^[0-9a-f:.]+(?:%.+)?$/i.test(host), true, host);
  assertEquals([host.length > 0, Number.isInteger(port), port >= 0, port <= 65_535], [
    true,
    true,
    true,
    true,
  ]);
  if ("source" in endpoint && endpoint.source !== undefined) assertEquals(use, "connect");
  // Its text form is an endpoint again.
  const again = parseEndpoint(formatEndpoint({ host, port }, endpoint), "bind") as NetworkEndpoint;
  assertEquals([again.transport, again.host, again.port], [endpoint.transport, host, port]);
  if (!("path" in endpoint)) return;
  assertEquals(/^\/[!"$-~]*$/.test(endpoint.path), true, endpoint.path);
  assertEquals("path" in again && again.path, endpoint.path);
}
