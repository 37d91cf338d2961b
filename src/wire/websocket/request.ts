// The request that asks for a WebSocket (RFC 6455, sections 4.1 and 4.2.1).

import { EndpointError } from "../../errors.ts";
import { quoted } from "../../quoted.ts";
import { isKey } from "./accept_key.ts";
import { HttpRefusal } from "./fault.ts";
import { decodeHead, type FieldValues, hasWord, isToken, listed, single } from "./fields.ts";

/** What a client asks for. */
export interface UpgradeRequest {
  /** The path, with its query. */
  readonly path: string;
  /** The value of `Host`. */
  readonly host: string;
  /** The value of `Origin`, which pages send. */
  readonly origin: string | undefined;
  /** The value of `Sec-WebSocket-Key`. */
  readonly key: string;
  /** The subprotocols, as the client prefers them. */
  readonly protocols: readonly string[];
}

const REQUEST_LINE = /^(\S+) (\S+) HTTP\/(\d)\.(\d)$/;
/** A path, or the whole URL of a request to a proxy; no fragment, ASCII only. */
const TARGET = /^(?:https?:\/\/[^/?#]+)?(\/[\x21-\x22\x24-\x7e]*)?$/i;
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?$/i;

/**
 * Reads a request, strictly.
 *
 * @throws {HttpRefusal} with the status for what is wrong: 400, 405, 426 or 505.
 */
export function decodeRequest(head: Uint8Array): UpgradeRequest {
  const { start, valuesOf } = decodeHead(head);
  const [, method, target, major, minor] = REQUEST_LINE.exec(start) ?? [];
  if (method === undefined || !isToken(method)) {
    throw new HttpRefusal(400, `${quoted(start, 80)} is no request line`);
  }
  if (major !== "1" || minor !== "1") {
    throw new HttpRefusal(505, `the request is HTTP/${major}.${minor}, and must be HTTP/1.1`);
  }
  checkMethod(method);
  const found = TARGET.exec(target);
  if (found === null) {
    throw new HttpRefusal(400, `${quoted(target, 80)} is no path of a request`);
  }
  return readUpgrade(found[1] ?? "/", valuesOf);
}

/**
 * Refuses a method that asks for no WebSocket.
 *
 * @throws {HttpRefusal} 405
 */
export function checkMethod(method: string): void {
  if (method === "GET") return;
  throw new HttpRefusal(405, `the method is ${quoted(method, 20)}, and must be GET`, [[
    "Allow",
    "GET",
  ]]);
}

/**
 * Reads the fields of a request whose first line has been read, here or by a server of the runtime's.
 *
 * @throws {HttpRefusal} 400 or 426
 */
export function readUpgrade(path: string, valuesOf: FieldValues): UpgradeRequest {
  const host = single(valuesOf, "host");
  if (host === undefined || !HOST.test(host)) {
    throw new HttpRefusal(400, `the header host is ${host === undefined ? "missing" : "invalid"}`);
  }
  checkBody(valuesOf);
  if (!hasWord(valuesOf, "upgrade", "websocket")) {
    throw new HttpRefusal(426, "only WebSockets are served here", [["Upgrade", "websocket"]]);
  }
  if (!hasWord(valuesOf, "connection", "upgrade")) {
    throw new HttpRefusal(400, `the header connection has no "upgrade"`);
  }
  const version = single(valuesOf, "sec-websocket-version");
  if (version !== "13") {
    throw new HttpRefusal(
      426,
      `the header sec-websocket-version is ${
        version === undefined ? "missing" : quoted(version, 20)
      }, and must be 13`,
      [["Sec-WebSocket-Version", "13"], ["Upgrade", "websocket"]],
    );
  }
  const key = single(valuesOf, "sec-websocket-key");
  if (key === undefined || !isKey(key)) {
    throw new HttpRefusal(
      400,
      `the header sec-websocket-key is ${
        key === undefined ? "missing" : "not the base64 of 16 octets"
      }`,
    );
  }
  return {
    path,
    host,
    origin: single(valuesOf, "origin"),
    key,
    protocols: readProtocols(valuesOf),
  };
}

function readProtocols(valuesOf: FieldValues): string[] {
  const protocols = listed(valuesOf, "sec-websocket-protocol");
  for (const [i, protocol] of protocols.entries()) {
    if (!isToken(protocol) || protocols.indexOf(protocol) !== i) {
      throw new HttpRefusal(
        400,
        `the header sec-websocket-protocol has ${quoted(protocol, 40)}, which ${
          isToken(protocol) ? "is there twice" : "is no name of a subprotocol"
        }`,
      );
    }
  }
  return protocols;
}

/** A body would be taken for frames: a proxy that sees it differently lets others send in a client's name. */
function checkBody(valuesOf: FieldValues): void {
  const length = single(valuesOf, "content-length");
  if ((length !== undefined && !/^0+$/.test(length)) || valuesOf("transfer-encoding").length > 0) {
    throw new HttpRefusal(400, "the request has a body, and must have none");
  }
}

/**
 * The octets of a request.
 *
 * @throws {EndpointError} `EINVAL` for a path or a host that would break the lines.
 */
export function encodeRequest(
  { path, host, key, protocols }: Pick<UpgradeRequest, "path" | "host" | "key" | "protocols">,
): Uint8Array {
  const name = hostName(host);
  if (!path.startsWith("/") || !TARGET.test(path) || !HOST.test(name)) {
    throw new EndpointError(
      "EINVAL",
      `Cannot ask ${quoted(host, 80)} for ${quoted(path, 80)}: ` +
        "hosts and paths have printable ASCII characters only; write others of a path as %XX",
    );
  }
  return new TextEncoder().encode([
    `GET ${path} HTTP/1.1`,
    `Host: ${name}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    // Deno's servers find no name behind a comma without a space.
    `Sec-WebSocket-Protocol: ${protocols.join(", ")}`,
    "\r\n",
  ].join("\r\n"));
}

/** A host as HTTP has it: the zone of an address is this machine's own, and names of other alphabets have a form in ASCII. */
function hostName(host: string): string {
  if (host.startsWith("[")) return host.replace(/%[^\]]*/, "");
  const url = `http://${host}`;
  const foreign = /^[^/?#@\\]*[\x80-\uffff][^/?#@\\]*$/.test(host);
  return foreign && URL.canParse(url) ? new URL(url).host : host;
}
