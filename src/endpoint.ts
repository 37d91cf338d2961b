// Endpoints as text: `tcp://host:port`, with an optional source before a semicolon.

import { EndpointError } from "./errors.ts";

/** One end of a tcp connection, not resolved yet. */
export interface HostPort {
  /** An address without brackets, an interface's or a host's name, or `*`. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** A tcp endpoint. */
export interface Endpoint extends HostPort {
  /** The text it was made from. */
  readonly text: string;
  /** Where an outgoing connection starts from. */
  readonly source: HostPort | undefined;
}

const TRANSPORT = /^([a-z][a-z0-9+.-]*):\/\/(.+)$/i;
const HOST_PORT = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\*|\d+)$/;

/**
 * Reads an endpoint for `bind` or `connect`.
 *
 * @throws {EndpointError} `EINVAL`, or `EPROTONOSUPPORT` for a transport other than tcp.
 */
export function parseEndpoint(text: string, use: "bind" | "connect"): Endpoint {
  if (typeof text !== "string") {
    throw new EndpointError(
      "EINVAL",
      `Address must be a string such as "tcp://127.0.0.1:5555", not ${typeof text}`,
    );
  }
  const [, transport, address] = TRANSPORT.exec(text) ?? [];
  if (transport === undefined) {
    throw invalid(text, use, `expected transport://address such as "tcp://127.0.0.1:5555"`);
  }
  if (transport !== "tcp") {
    throw new EndpointError(
      "EPROTONOSUPPORT",
      `Cannot ${use} ${JSON.stringify(text)}: the transport ${transport} is not supported; use tcp`,
      { address: text },
    );
  }
  const parts = address.split(";");
  if (parts.length > 2 || (parts.length === 2 && use === "bind")) {
    throw invalid(
      text,
      use,
      "a source address before a semicolon is for connect only, and only one",
    );
  }
  const target = parseHostPort(parts[parts.length - 1], text, use);
  if (use === "connect") {
    if (target.host === "*") throw invalid(text, use, `"*" is no host to connect to`);
    if (target.port === 0) throw invalid(text, use, "expected a port from 1 to 65535");
  }
  return {
    ...target,
    text,
    source: parts.length === 2 ? parseHostPort(parts[0], text, use) : undefined,
  };
}

function parseHostPort(part: string, text: string, use: string): HostPort {
  const [, v6, name, port] = HOST_PORT.exec(part) ?? [];
  if (port === undefined) {
    throw invalid(text, use, `expected host:port; an IPv6 address stands in brackets`);
  }
  if (v6 !== undefined && !isIpv6(v6)) throw invalid(text, use, `[${v6}] is not an IPv6 address`);
  const number = port === "*" ? 0 : Number(port);
  if (number > 65535) throw invalid(text, use, `the port ${port} is above 65535`);
  return { host: v6 ?? name, port: number };
}

/** The text of an address and a port. */
export function formatEndpoint(host: string, port: number): string {
  return `tcp://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** True for an IPv4 address in dotted form. */
export function isIpv4(host: string): boolean {
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

/** True for an IPv6 address, with or without a zone. */
export function isIpv6(host: string): boolean {
  const address = host.replace(/%.+$/, "");
  return address.includes(":") && URL.canParse(`http://[${address}]/`);
}

function invalid(text: string, use: string, why: string): EndpointError {
  return new EndpointError("EINVAL", `Cannot ${use} ${JSON.stringify(text)}: ${why}`, {
    address: text,
  });
}
