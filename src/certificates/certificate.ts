// Certificates as values and as text.

import { parseCurveKey } from "../curve_key.ts";
import { withCode } from "../errors.ts";
import { curveKeyPair, curvePublicKeyOf } from "../security/keys.ts";
import { CertificateError } from "./error.ts";
import { isZplName, parseZpl, quoteZpl, type ZplItem } from "./zpl.ts";

/** A CURVE key, or a pair of them, with notes about its owner. */
export interface Certificate {
  /** Z85 text of 40 characters. */
  publicKey: string;
  /** Z85 text of 40 characters; null in a certificate that was made to be given away. */
  secretKey: string | null;
  /**
   * Notes for whoever reads it, such as `name` and `email`. Nothing proves them. Names have letters, digits and `$-_@.&+/`.
   */
  metadata: Record<string, string>;
}

/** How a certificate is written. */
export interface FormatOptions {
  /** With the secret key; false by default. */
  readonly secret?: boolean;
}

const PUBLIC_HEADER = [
  "ZeroMQ CURVE Public Certificate",
  "Give it to those who have to know its owner, and see that they get it unchanged.",
];
const SECRET_HEADER = [
  "ZeroMQ CURVE **Secret** Certificate",
  "Whoever can read this file is its owner: give it to nobody, and leave its permissions alone.",
];

/** Programs without CURVE write keys of zeroes, and all programs do for a secret key that they have not. */
const NO_KEY = "0".repeat(40);

/**
 * A certificate with a new key pair.
 *
 * @throws {TypeError} `EINVAL` for metadata that are no strings.
 * @throws {RangeError} `EINVAL` for metadata that the format cannot hold.
 */
export function newCertificate(
  metadata: Readonly<Record<string, string>> = {},
): Certificate {
  const certificate = { ...curveKeyPair(), metadata: { ...metadata } };
  formatMetadata(certificate.metadata);
  return certificate;
}

/**
 * A certificate as text, as CZMQ's `zcert` writes it.
 *
 * @throws {TypeError} `EINVAL` for what is no certificate.
 * @throws {RangeError} `EINVAL` for keys that are none or do not belong together, and metadata that the format cannot hold.
 *
 * @example
 * ```ts
 * import { formatCertificate, newCertificate } from "@wasmq/wasmq/certificates";
 *
 * console.log(formatCertificate(newCertificate({ name: "Ada" })));
 * ```
 */
export function formatCertificate(
  certificate: Certificate,
  { secret = false }: FormatOptions = {},
): string {
  checkCertificate(certificate);
  const { publicKey, secretKey, metadata } = certificate;
  if (secret && secretKey === null) {
    throw outOfRange("secretKey to be the secret key, not null: there is none to be written");
  }
  const comments = secret ? SECRET_HEADER : PUBLIC_HEADER;
  return [
    ...comments.map((comment) => `#   ${comment}`),
    "",
    "metadata",
    ...formatMetadata(metadata),
    "curve",
    `    public-key = "${publicKey}"`,
    ...(secret ? [`    secret-key = "${secretKey}"`] : []),
    "",
  ].join("\n");
}

/**
 * The certificate that a text holds: one of this package, of CZMQ, of pyzmq, or written by hand. As in CZMQ, the first of
 * two values with one name counts, and a secret key of zeroes is none.
 *
 * @throws {TypeError} `EINVAL` for what is no string.
 * @throws {CertificateError} `EINVAL` with the line that is wrong.
 */
export function parseCertificate(text: string): Certificate {
  if (typeof text !== "string") {
    throw withCode(
      new TypeError(`Cannot read a certificate: expected a string, not ${typeof text}`),
      "EINVAL",
    );
  }
  return readText(text, undefined);
}

/** Like `parseCertificate`, for errors that name a file. */
export function readText(text: string, path: string | undefined): Certificate {
  const items = parseZpl(text, path);
  const keys = children(items, "curve");
  const publicKey = keyOf(keys, "public-key", path);
  if (publicKey === null) {
    throw new CertificateError("EINVAL", "read", "expected a public-key in a section curve", {
      path,
    });
  }
  const secretKey = keyOf(keys, "secret-key", path);
  if (secretKey !== null && curvePublicKeyOf(secretKey) !== publicKey) {
    throw new CertificateError(
      "EINVAL",
      "read",
      "the public-key does not belong to the secret-key",
      { path },
    );
  }
  const metadata = new Map<string, string>();
  for (const { name, value } of children(items, "metadata")) {
    if (!metadata.has(name)) metadata.set(name, value);
  }
  return { publicKey, secretKey, metadata: Object.fromEntries(metadata) };
}

function children(items: readonly ZplItem[], name: string): readonly ZplItem[] {
  return items.find((item) => item.name === name)?.children ?? [];
}

/** The key of that name; null when there is none. */
function keyOf(items: readonly ZplItem[], name: string, path: string | undefined): string | null {
  const item = items.find((each) => each.name === name);
  if (item === undefined || item.value === NO_KEY) return null;
  if (parseCurveKey(item.value) !== undefined) return item.value;
  throw new CertificateError(
    "EINVAL",
    "read",
    `expected ${name} to be 40 characters of Z85, in quotes`,
    { path, line: item.line },
  );
}

/** Refuses what cannot be written, or would be refused when it is read again. */
function checkCertificate(certificate: Certificate): void {
  if (typeof certificate !== "object" || certificate === null) {
    throw wrongType("a certificate", certificate);
  }
  const { publicKey, secretKey } = certificate;
  checkKey("publicKey", publicKey);
  if (secretKey === null) return;
  checkKey("secretKey", secretKey);
  if (curvePublicKeyOf(secretKey) !== publicKey) {
    throw outOfRange("publicKey to be the one that belongs to secretKey");
  }
}

function checkKey(name: string, key: unknown): void {
  if (typeof key !== "string") throw wrongType(`${name} to be a string`, key);
  if (key === NO_KEY || parseCurveKey(key) === undefined) {
    throw outOfRange(`${name} to be a key: 40 characters of Z85`);
  }
}

function formatMetadata(metadata: Readonly<Record<string, string>>): string[] {
  if (typeof metadata !== "object" || metadata === null) {
    throw wrongType("metadata to be an object", metadata);
  }
  return Object.entries(metadata).map(([name, value]) => {
    if (!isZplName(name)) {
      throw outOfRange(
        `metadata to have names of letters, digits and $-_@.&+/, not ${JSON.stringify(name)}`,
      );
    }
    if (typeof value !== "string") throw wrongType(`metadata ${name} to be a string`, value);
    const quoted = quoteZpl(value);
    if (quoted === undefined) {
      throw outOfRange(
        `metadata ${name} to be one line of text, with quotes or apostrophes but not both`,
      );
    }
    return `    ${name} = ${quoted}`;
  });
}

function wrongType(expected: string, value: unknown): TypeError {
  const got = value === null ? "null" : typeof value;
  return withCode(
    new TypeError(`Cannot write a certificate: expected ${expected}, not ${got}`),
    "EINVAL",
  );
}

function outOfRange(expected: string): RangeError {
  return withCode(new RangeError(`Cannot write a certificate: expected ${expected}`), "EINVAL");
}
