// Keys, certificates and authorities as node:tls wants them, checked first: not every runtime says what is wrong with them.

import { textOf, ZmqError } from "../errors.ts";
import type { TlsIdentity, TlsTrust } from "../link/stream.ts";
import { builtin } from "./builtin.ts";

/** A context of node:tls. */
export type SecureContext = { readonly context?: unknown };

/** A private key of node:crypto. */
interface PrivateKey {
  readonly type: "private";
}

interface X509 {
  checkPrivateKey(key: PrivateKey): boolean;
}

/** What is used of node:crypto. */
export interface NodeCrypto {
  readonly X509Certificate: new (pem: string) => X509;
  createPrivateKey(pem: string): PrivateKey;
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
/** Older versions have known weaknesses (RFC 8996). */
const minVersion = "TLSv1.2";

/**
 * For the server's end.
 *
 * @throws {ZmqError} `EINVAL`
 */
export function contextOf({ key, certificate: cert }: TlsIdentity): SecureContext {
  const [own] = certificatesIn(cert, "wssCertPem");
  if (!own.x509.checkPrivateKey(privateKey(key))) {
    throw invalid("wssKeyPem is not the key of the first certificate in wssCertPem");
  }
  return builtin("node:tls").createSecureContext({ minVersion, key, cert });
}

function privateKey(pem: string): PrivateKey {
  try {
    return builtin("node:crypto").createPrivateKey(pem);
  } catch {
    // Without the cause: nothing of a key may get into a log.
    throw invalid("wssKeyPem cannot be read as a private key");
  }
}

/** Reading hundreds of authorities takes a while, and most connections trust the same. */
let known: { authorities: string | undefined; system: boolean; context: SecureContext } | undefined;

/**
 * For the client's end.
 *
 * @throws {ZmqError} `EINVAL`
 */
export function contextFor({ authorities, system }: TlsTrust): SecureContext {
  if (known !== undefined && known.authorities === authorities && known.system === system) {
    return known.context;
  }
  const ca = system ? [...systemAuthorities()] : [];
  if (authorities !== undefined) {
    ca.push(...certificatesIn(authorities, "wssTrustPem").map(({ pem }) => pem));
  }
  const context = builtin("node:tls").createSecureContext({ minVersion, ca });
  known = { authorities, system, context };
  return context;
}

/** Those that come with the runtime, those of the system, and those that the user gave to the runtime. */
function systemAuthorities(): ReadonlySet<string> {
  const tls = builtin("node:tls");
  if (tls.getCACertificates === undefined) return new Set(tls.rootCertificates);
  const all = new Set(tls.getCACertificates("default"));
  try {
    for (const one of tls.getCACertificates("system")) all.add(one);
  } catch {
    // They may not be read here.
  }
  return all;
}

interface Certificate {
  readonly pem: string;
  readonly x509: X509;
}

function certificatesIn(text: string, option: string): Certificate[] {
  const found = text.match(CERTIFICATES) ?? [];
  if (found.length === 0) throw invalid(`${option} holds no certificate`);
  return found.map((pem, i) => {
    try {
      return { pem, x509: new (builtin("node:crypto").X509Certificate)(pem) };
    } catch (cause) {
      const which = found.length === 1 ? "the certificate" : `certificate ${i + 1}`;
      throw invalid(`${which} in ${option} cannot be read: ${textOf(cause)}`, cause);
    }
  });
}

function invalid(text: string, cause?: unknown): ZmqError {
  return new ZmqError("EINVAL", text, { cause });
}
