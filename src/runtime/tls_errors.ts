// What went wrong with TLS, in words that say what to set; the codes of the runtimes' libraries differ.

import { codeOf, textOf, ZmqError } from "../errors.ts";
import { quoted } from "../quoted.ts";

/** Which end of TLS it is, and for a client, the name that the server should have. */
export interface TlsSide {
  readonly server: boolean;
  readonly name: string;
}

/** Codes for certificates of which nothing more can be said than that no trusted authority made them. */
const UNKNOWN: readonly string[] = [
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
];
/** Octets that are no records of TLS. */
const NO_TLS: readonly string[] = ["ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_HTTP_REQUEST"];
/** Of a text from a library. */
const TEXT_MOST = 200;

/** An error of the runtime's TLS as one of this package's: `ERR_TLS_CERTIFICATE`, `ERR_TLS_HANDSHAKE`, or as it is. */
export function explained(cause: unknown, side: TlsSide): unknown {
  const code = codeOf(cause);
  if (code === "ECONNRESET") return goneEarly(side, cause);
  if (NO_TLS.includes(code)) {
    return handshake("The peer does not speak TLS; ws:// does without", cause);
  }
  if (side.server) {
    const text = code.includes("ALERT_")
      ? "The peer does not accept this side's certificate (wssCertPem), or gave up"
      : "The peer's TLS is not understood";
    return handshake(`${text}: ${quoted(textOf(cause), TEXT_MOST)}`, cause);
  }
  const name = quoted(side.name, TEXT_MOST);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return certificate(
      `The server's certificate is not for ${name}; wssHostname says whom to expect`,
      cause,
    );
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return certificate(`The server's certificate for ${name} is out of date`, cause);
  }
  if (UNKNOWN.includes(code)) {
    return certificate(
      `The server's certificate for ${name} is out of date, or from no authority that is trusted; ` +
        "wssTrustPem says whom to trust",
      cause,
    );
  }
  return handshake(`TLS with ${name} failed: ${quoted(textOf(cause), TEXT_MOST)}`, cause);
}

/** An error of a connection on which TLS stood: `ERR_TLS_RECORD`, or as it is when it is not about TLS. */
export function broken(cause: unknown): unknown {
  if (!codeOf(cause).startsWith("ERR_SSL_")) return cause;
  const text = `What the peer sent is no TLS any more: ${quoted(textOf(cause), TEXT_MOST)}`;
  return new ZmqError("ERR_TLS_RECORD", text, { cause });
}

/** For a peer that went before TLS stood. */
export function goneEarly({ server }: TlsSide, cause?: unknown): ZmqError {
  return handshake(
    server
      ? "The peer went before TLS stood: it may not trust this side's certificate (wssCertPem)"
      : "The server ended the connection before TLS stood",
    cause,
  );
}

function handshake(text: string, cause: unknown): ZmqError {
  return new ZmqError("ERR_TLS_HANDSHAKE", text, { cause });
}

function certificate(text: string, cause: unknown): ZmqError {
  return new ZmqError("ERR_TLS_CERTIFICATE", text, { cause });
}
