// Endpoints as text: `tcp://host:port`, with an optional source before a semicolon; `ws://host:port/path`; `ipc://path`;
// `inproc://name`.

import { EndpointError } from "./errors.ts";

/** One end of a tcp connection. */
export interface HostPort {
  /** An address without brackets; in an endpoint also an interface's or a host's name, or `*`. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** A socket of the file system, or an abstract one, whose path begins with a zero octet (Linux). */
export interface LocalPath {
  /** The path; empty for an end that has none. */
  readonly path: string;
}

/** Where a stream begins or ends. */
export type StreamAddress = HostPort | LocalPath;

/** `tcp://…` */
export interface TcpEndpoint extends HostPort {
  /** Octets of ZMTP. */
  readonly transport: "tcp";
  /** The text it was made from. */
  readonly text: string;
  /** Where an outgoing connection starts from. */
  readonly source: HostPort | undefined;
}

/** `ws://…` or `wss://…` */
export interface WebSocketEndpoint extends HostPort {
  /** Over TLS, or not. */
  readonly transport: "ws" | "wss";
  /** The text it was made from. */
  readonly text: string;
  /** The path, and the query if there is one: what a request names. */
  readonly path: string;
}

/** What begins with a connection to a port of a host. */
export type NetworkEndpoint = TcpEndpoint | WebSocketEndpoint;

/** What is reached by a stream. */
export type StreamEndpoint = NetworkEndpoint | IpcEndpoint;

/** `ipc://…` */
export interface IpcEndpoint extends LocalPath {
  /** Through the file system. */
  readonly transport: "ipc";
  /** The text it was made from. */
  readonly text: string;
  /** The system is to choose a path. */
  readonly wildcard: boolean;
}

/** `inproc://…` */
export interface InprocEndpoint {
  /** Within a context. */
  readonly transport: "inproc";
  /** The text it was made from. */
  readonly text: string;
  /** Known in its context only. */
  readonly name: string;
}

/** An endpoint, not resolved yet. */
export type Endpoint = StreamEndpoint | InprocEndpoint;

/** What an endpoint is needed for. */
export type EndpointUse = "bind" | "connect";

const ENDPOINT = /^([a-z][a-z0-9+.-]*):\/\/(.+)$/is;
const HOST_PORT = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\*|\d+)$/;
/** The longest path that an address of a local socket holds, in octets, and the longest name of libzmq's inproc. */
const PATH_LIMIT = 107;
const NAME_LIMIT = 256;
/** What a request may name (RFC 3986), a host, and an authority that ends with a port. */
const PATH = /^[!"$-~]*$/;
const HOST = /^[\w.~%\x80-\uffff-]+$/;
const HAS_PORT = /:(\*|\d+)$/;

/**
 * Reads an endpoint for `bind` or `connect`.
 *
 * @throws {EndpointError} `EINVAL`, `ENAMETOOLONG`, or `EPROTONOSUPPORT` for an unknown transport.
 */
export function parseEndpoint(text: string, use: EndpointUse): Endpoint {
  if (typeof text !== "string") {
    throw new EndpointError(
      "EINVAL",
      `Address must be a string such as "tcp://127.0.0.1:5555", not ${typeof text}`,
    );
  }
  const [, transport, address] = ENDPOINT.exec(text) ?? [];
  if (transport === undefined) {
    throw invalid(text, use, `expected transport://address such as "tcp://127.0.0.1:5555"`);
  }
  switch (transport) {
    case "tcp":
      return parseTcp(address, text, use);
    case "ws":
    case "wss":
      return parseWebSocket(transport, address, text, use);
    case "ipc":
      return parseIpc(address, text, use);
    case "inproc":
      return parseInproc(address, text, use);
  }
  throw new EndpointError(
    "EPROTONOSUPPORT",
    `Cannot ${use} ${
      JSON.stringify(text)
    }: the transport ${transport} is not supported; use tcp, ws, wss, ipc or inproc`,
    { address: text },
  );
}

function parseTcp(address: string, text: string, use: EndpointUse): TcpEndpoint {
  const parts = address.split(";");
  if (parts.length > 2 || (parts.length === 2 && use === "bind")) {
    throw invalid(
      text,
      use,
      "a source address before a semicolon is for connect only, and only one",
    );
  }
  const target = parseTarget(parts[parts.length - 1], text, use);
  return {
    transport: "tcp",
    ...target,
    text,
    source: parts.length === 2 ? parseHostPort(parts[0], text, use) : undefined,
  };
}

/** Somewhere to bind or to connect to. */
function parseTarget(part: string, text: string, use: EndpointUse): HostPort {
  const target = parseHostPort(part, text, use);
  if (use === "connect") {
    if (target.host === "*") throw invalid(text, use, `"*" is no host to connect to`);
    if (target.port === 0) throw invalid(text, use, "expected a port from 1 to 65535");
  }
  return target;
}

/** Where it says no port, a connection is made to that of http or https. */
function parseWebSocket(
  transport: "ws" | "wss",
  address: string,
  text: string,
  use: EndpointUse,
): WebSocketEndpoint {
  const [, authority, path] = /^([^/?#]*)(.*)$/s.exec(address)!;
  if (!PATH.test(path)) {
    throw invalid(
      text,
      use,
      "a path has printable ASCII characters, others as %xx, and no fragment",
    );
  }
  const complete = use === "bind" || HAS_PORT.test(authority);
  const target = parseTarget(
    complete ? authority : `${authority}:${transport === "ws" ? 80 : 443}`,
    text,
    use,
  );
  const { host } = target;
  if (host !== "*" && !isIpv6(host) && !isHostOfUrl(host)) {
    throw invalid(text, use, `${JSON.stringify(host)} is no host that a request can name`);
  }
  return { transport, ...target, text, path: path.startsWith("/") ? path : `/${path}` };
}

function isHostOfUrl(host: string): boolean {
  return HOST.test(host) && URL.canParse(`http://${host}`);
}

function parseHostPort(part: string, text: string, use: EndpointUse): HostPort {
  const [, v6, name, port] = HOST_PORT.exec(part) ?? [];
  if (port === undefined) {
    throw invalid(text, use, `expected host:port; an IPv6 address stands in brackets`);
  }
  if (v6 !== undefined && !isIpv6(v6)) throw invalid(text, use, `[${v6}] is not an IPv6 address`);
  const number = port === "*" ? 0 : Number(port);
  if (number > 65535) throw invalid(text, use, `the port ${port} is above 65535`);
  return { host: v6 ?? name, port: number };
}

/** As libzmq: a path, `*` for a fresh one, or `@` and an abstract name. */
function parseIpc(path: string, text: string, use: EndpointUse): IpcEndpoint {
  const wildcard = path === "*";
  if (wildcard && use === "connect") throw invalid(text, use, `"*" is no path to connect to`);
  if (path === "@") throw invalid(text, use, "an abstract name needs at least one character");
  if (path.includes("\0")) throw invalid(text, use, "a path has no zero octets");
  const size = new TextEncoder().encode(path).length;
  if (size > PATH_LIMIT) {
    throw new EndpointError(
      "ENAMETOOLONG",
      `Cannot ${use} ${JSON.stringify(text)}: the path has ${size} octets, more than the ` +
        `${PATH_LIMIT} that the system allows; use a shorter or a relative one`,
      { address: text },
    );
  }
  return { transport: "ipc", path: path.replace(/^@/, "\0"), text, wildcard };
}

function parseInproc(name: string, text: string, use: EndpointUse): InprocEndpoint {
  if (name.length > NAME_LIMIT) {
    throw invalid(text, use, `the name has ${name.length} characters, more than ${NAME_LIMIT}`);
  }
  return { transport: "inproc", text, name };
}

/** The endpoint of an address, whose transport and path are those of `like`. */
export function formatEndpoint(address: StreamAddress, like?: Endpoint): string {
  if ("path" in address) return `ipc://${address.path.replace(/^\0/, "@")}`;
  if (like === undefined || !isWebSocket(like)) return `tcp://${formatHostPort(address)}`;
  return `${like.transport}://${formatHostPort(address)}${like.path === "/" ? "" : like.path}`;
}

/** `host:port`, an IPv6 address in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** True for `ws://` and `wss://`. */
export function isWebSocket(endpoint: Endpoint): endpoint is WebSocketEndpoint {
  return endpoint.transport === "ws" || endpoint.transport === "wss";
}

/** True for an IPv4 address in dotted form. */
export function isIpv4(host: string): boolean {
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

/** True for an IPv6 address, with or without a zone. */
export function isIpv6(host: string): boolean {
  const address = host.replace(/%.+$/, "");
  // Other characters can end what the parser takes for the address.
  return /^[\da-f:.]+$/i.test(address) && address.includes(":") &&
    URL.canParse(`http://[${address}]/`);
}

function invalid(text: string, use: EndpointUse, why: string): EndpointError {
  return new EndpointError("EINVAL", `Cannot ${use} ${JSON.stringify(text)}: ${why}`, {
    address: text,
  });
}
