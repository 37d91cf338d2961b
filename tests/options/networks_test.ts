// The networks of tcpAcceptFilter against a model that reckons with whole numbers.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { isInNetwork, parseNetwork } from "../../src/networks.ts";

const IPV4_BITS = 32;
const IPV6_BITS = 128;

function ipv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
}

/** All eight groups, or with the longest run of zeros left out. */
function ipv6(value: bigint, short: boolean): string {
  const groups = Array.from({ length: 8 }, (_, i) => (value >> BigInt(112 - 16 * i)) & 0xffffn);
  const text = groups.map((group) => group.toString(16)).join(":");
  if (!short) return text;
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) =>
    b[0].length - a[0].length
  );
  if (runs.length === 0) return text;
  const { index, 0: run } = runs[0];
  return `${text.slice(0, index)}::${text.slice(index + run.length).replace(/^:/, "")}`;
}

function contains(network: bigint, prefix: number, size: number, address: bigint): boolean {
  const shift = BigInt(size - prefix);
  return network >> shift === address >> shift;
}

function isIn(address: string, network: string): boolean {
  const parsed = parseNetwork(network);
  assert(parsed !== undefined, network);
  return isInNetwork(address, parsed);
}

describe("a network", () => {
  for (const size of [IPV4_BITS, IPV6_BITS]) {
    it(`of ${size} bits has the addresses that agree in its prefix`, () => {
      const value = fc.bigInt({ min: 0n, max: 2n ** BigInt(size) - 1n });
      const flip = fc.integer({ min: 0, max: size - 1 });
      fc.assert(
        fc.property(
          value,
          fc.integer({ min: 0, max: size }),
          fc.option(flip),
          value,
          fc.boolean(),
          (network, prefix, flipped, other, short) => {
            // Most random addresses are in no network: those next to one are more telling.
            const address = flipped === null ? other : network ^ (1n << BigInt(flipped));
            const write = (number: bigint) =>
              size === IPV4_BITS ? ipv4(number) : ipv6(number, short);
            assertEquals(
              isIn(write(address), `${write(network)}/${prefix}`),
              contains(network, prefix, size, address),
              `${write(address)} in ${write(network)}/${prefix}`,
            );
            assert(isIn(write(network), write(network)));
          },
        ),
        { numRuns: 500 },
      );
    });
  }

  it("of IPv4 has the same addresses written as IPv6, and IPv6 has none of IPv4", () => {
    const value = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n });
    fc.assert(
      fc.property(value, value, fc.integer({ min: 0, max: 32 }), (network, address, prefix) => {
        const text = `${ipv4(network)}/${prefix}`;
        assertEquals(isIn(`::ffff:${ipv4(address)}`, text), isIn(ipv4(address), text));
        assertEquals(isIn(ipv4(address), "::/0"), false);
        assertEquals(isIn(ipv6(address, true), text), false);
      }),
    );
  });

  it("does not mind the zone of an address", () => {
    assert(isIn("fe80::1%eth0", "fe80::/10"));
    assert(!isIn("fe80::1%eth0", "fd00::/8"));
  });

  it("is nothing but an address, or an address and the length of its prefix", () => {
    for (
      const text of [
        "",
        "/",
        "/8",
        "10",
        "10.0.0",
        "10.0.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/+8",
        "10.0.0.0/8.0",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0\n",
        " 10.0.0.0",
        "01.0.0.0x",
        "::/129",
        ":::/0",
        "::g/0",
        "1:2:3:4:5:6:7/0",
        "[::1]/128",
        "name.example/8",
        "tcp://10.0.0.0/8",
      ]
    ) {
      assertEquals(parseNetwork(text), undefined, JSON.stringify(text));
    }
  });
});
