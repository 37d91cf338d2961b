// Networks in the notation of CIDR (RFC 4632, RFC 4291), and whether an address is in one.

import { isIpv4, isIpv6 } from "./endpoint.ts";

/** A network: the octets of an address, and how many of its bits count. */
export interface Network {
  readonly octets: readonly number[];
  readonly bits: number;
}

/** A network or a single address; undefined when it is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [, address, length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const octets = address === undefined ? undefined : addressOctets(address);
  if (octets === undefined) return undefined;
  const bits = length === undefined ? octets.length * 8 : Number(length);
  if (bits > octets.length * 8) return undefined;
  // The same network, as IPv4.
  const inner = bits >= MAPPED_BITS ? mapped(octets) : [];
  return inner.length > 0 ? { octets: inner, bits: bits - MAPPED_BITS } : { octets, bits };
}

/** Bits before the IPv4 address in an IPv6 address that stands for it. */
const MAPPED_BITS = 96;

/** True when the address is in the network; an IPv4 address may be written as an IPv6 one. */
export function isInNetwork(address: string, { octets, bits }: Network): boolean {
  let candidate = addressOctets(address);
  if (candidate === undefined) return false;
  if (candidate.length !== octets.length) {
    candidate = candidate.length === 16 ? mapped(candidate) : [];
  }
  if (candidate.length !== octets.length) return false;
  return octets.every((octet, i) => {
    const left = Math.min(8, Math.max(0, bits - i * 8));
    return (octet ^ candidate[i]) >> (8 - left) === 0;
  });
}

/** The IPv4 address in an IPv6 address of the form ::ffff:a.b.c.d; nothing in others. */
function mapped(octets: readonly number[]): readonly number[] {
  const prefix = octets.slice(0, 12);
  return prefix.every((octet, i) => octet === (i < 10 ? 0 : 255)) ? octets.slice(12) : [];
}

/** What stands for whoever has an address: one with IPv6 has at least all that share the first 64 bits. */
export function partyOf(address: string): string {
  const octets = address.includes(":") ? addressOctets(address) : undefined;
  if (octets === undefined) return address;
  const inner = mapped(octets);
  return inner.length > 0 ? inner.join(".") : octets.slice(0, 8).join(":");
}

/** The octets of an IPv4 or IPv6 address; undefined when it is neither. */
export function addressOctets(address: string): readonly number[] | undefined {
  if (isIpv4(address)) return address.split(".").map(Number);
  const bare = address.replace(/%.+$/, "");
  if (!isIpv6(bare)) return undefined;
  // The platform's parser brings all forms to groups of hexadecimal digits.
  const [head, tail] = new URL(`http://[${bare}]/`).hostname.slice(1, -1).split("::");
  const before = groups(head);
  const after = groups(tail ?? "");
  const gap = new Array(Math.max(0, 8 - before.length - after.length)).fill(0);
  return [...before, ...gap, ...after].flatMap((group) => [group >> 8, group & 255]);
}

function groups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}
