// From an endpoint's host to addresses: wildcards, literal addresses, interface names, host names.

import { isIpv4, isIpv6, type NetworkEndpoint } from "../endpoint.ts";
import { EndpointError, textOf } from "../errors.ts";
import type { Runtime } from "./stream.ts";

/** The address to listen at, or to connect from; `*` means all of the machine's. */
export async function resolveLocal(
  endpoint: NetworkEndpoint,
  host: string,
  runtime: Runtime,
  ipv6: boolean,
): Promise<string> {
  return knownLocal(host, runtime, ipv6) ??
    (await resolveHost(endpoint, host, runtime, ipv6))[0];
}

/** As `resolveLocal`, for what needs no name server; undefined for a host name. */
export function knownLocal(host: string, runtime: Runtime, ipv6: boolean): string | undefined {
  if (host === "*") return ipv6 ? "::" : "0.0.0.0";
  if (isIpv4(host) || isIpv6(host)) return host;
  return choose(interfaceAddresses(host, runtime), ipv6)[0];
}

/** The addresses to connect to, in the order to try them. */
export async function resolveRemote(
  endpoint: NetworkEndpoint,
  runtime: Runtime,
  ipv6: boolean,
): Promise<string[]> {
  const { host } = endpoint;
  if (isIpv4(host) || isIpv6(host) || runtime.resolve === undefined) return [host];
  return await resolveHost(endpoint, host, runtime, ipv6);
}

function interfaceAddresses(name: string, runtime: Runtime): string[] {
  // A host name has dots, mostly; asking for the interfaces needs a permission on some runtimes.
  if (name.includes(".") || name === "localhost") return [];
  return runtime.interfaces().filter((entry) => entry.name === name).map((entry) => entry.address);
}

async function resolveHost(
  endpoint: NetworkEndpoint,
  host: string,
  runtime: Runtime,
  ipv6: boolean,
): Promise<string[]> {
  let all: string[];
  try {
    all = await runtime.resolve!(host);
  } catch (cause) {
    throw new EndpointError(
      "EINVAL",
      `Cannot resolve the host ${JSON.stringify(host)}: ${textOf(cause)}`,
      {
        address: endpoint.text,
        cause,
      },
    );
  }
  const usable = choose(all, ipv6);
  if (usable.length > 0) return usable;
  throw new EndpointError(
    "EADDRNOTAVAIL",
    `The host ${JSON.stringify(host)} has no IPv4 address${
      all.length > 0 ? "; set ipv6 to use its IPv6 address" : ""
    }`,
    { address: endpoint.text },
  );
}

function choose(addresses: string[], ipv6: boolean): string[] {
  return ipv6 ? addresses : addresses.filter(isIpv4);
}
