// Certificates on disk: NAME, to be given away, and NAME_secret, which nobody else may read.

import { withCode } from "../errors.ts";
import {
  createBeside,
  exists,
  listFolder,
  nameFile,
  readFile,
  removeFile,
  replaceFile,
  troubleOf,
} from "../runtime/files.ts";
import { type Certificate, formatCertificate, readText } from "./certificate.ts";
import { CertificateError } from "./error.ts";

/** How certificates are written to files. */
export interface WriteOptions {
  /** Replaces files that are there; false by default, since a secret key that is gone cannot be made again. */
  readonly overwrite?: boolean;
}

/** How the certificates of a folder are read. */
export interface ReadFolderOptions {
  /** Is told of a file that is no certificate, which is then passed over; without it, the first one ends the reading. */
  readonly onInvalid?: (error: CertificateError) => void;
}

const SECRET = "_secret";
const SECRET_MODE = 0o600;
const PUBLIC_MODE = 0o644;
/** The longest file that is read, in octets. */
const LONGEST = 65_536;

/** A file that is written, under a name of its own so that nobody ever sees half of it. */
interface Draft {
  readonly path: string;
  readonly temporary: string;
}

/**
 * Writes a certificate: the public one to `path`, and, where there is a secret key, both keys to `path` followed by
 * `_secret`, which only its owner can read (mode 600) from its first moment. Under Deno this needs `--allow-read` and
 * `--allow-write`.
 *
 * Each file appears as a whole or not at all; without `overwrite` both do or none. A public certificate is not written
 * beside a secret one, which would be read in its place.
 *
 * @throws {TypeError} `EINVAL` for arguments that are none.
 * @throws {RangeError} `EINVAL` for a certificate that cannot be written, and a path that ends in `_secret`.
 * @throws {CertificateError} `EEXIST` when there is such a file; otherwise what the system says: `ENOENT`, `EACCES` …
 *
 * @example
 * ```ts
 * import { newCertificate, readCertificate, writeCertificate } from "@wasmq/wasmq/certificates";
 *
 * async function keysOf(path: string): Promise<string | null> {
 *   await writeCertificate(path, newCertificate({ name: "my server" }));
 *   return (await readCertificate(path)).secretKey;
 * }
 * ```
 */
export async function writeCertificate(
  path: string,
  certificate: Certificate,
  { overwrite = false }: WriteOptions = {},
): Promise<void> {
  checkPath("write", path);
  if (path.endsWith(SECRET)) {
    throw withCode(
      new RangeError(`Cannot write ${path}: expected a path without ${SECRET}, which is added`),
      "EINVAL",
    );
  }
  const texts = [{ path, text: formatCertificate(certificate), mode: PUBLIC_MODE }];
  const secret = path + SECRET;
  if (certificate.secretKey !== null) {
    const text = formatCertificate(certificate, { secret: true });
    texts.push({ path: secret, text, mode: SECRET_MODE });
  } else if (await during("write", secret, exists(secret))) {
    const reason = "it is there already, and would be read in place of the public certificate";
    throw new CertificateError("EEXIST", "write", reason, { path: secret });
  }
  const drafts: Draft[] = [];
  try {
    for (const { path, text, mode } of texts) {
      const temporary = await during("write", path, createBeside(path, text, mode));
      drafts.push({ path, temporary });
    }
    await (overwrite ? replace(drafts) : publish(drafts));
  } finally {
    for (const { temporary } of drafts) await removeFile(temporary).catch(() => {});
  }
}

/** The public file comes first: should the second step fail, the old secret file is whole, and has both keys. */
async function replace(drafts: readonly Draft[]): Promise<void> {
  for (const { path, temporary } of drafts) {
    await during("write", path, replaceFile(temporary, path));
  }
}

async function publish(drafts: readonly Draft[]): Promise<void> {
  const published: string[] = [];
  try {
    for (const { path, temporary } of drafts) {
      await during("write", path, nameFile(temporary, path));
      published.push(path);
    }
  } catch (error) {
    for (const path of published) await removeFile(path);
    throw error;
  }
}

/**
 * Reads a certificate: the secret file (`path` followed by `_secret`) if it is there, else the public one at `path`. Under
 * Deno this needs `--allow-read`.
 *
 * @throws {TypeError} `EINVAL` for a path that is none.
 * @throws {CertificateError} `ENOENT` when there is neither; `EINVAL` with the line for a file that is no certificate;
 * `EACCES` and others of the system.
 */
export async function readCertificate(path: string): Promise<Certificate> {
  checkPath("read", path);
  try {
    return await read(path + SECRET);
  } catch (error) {
    if (!(error instanceof CertificateError) || error.code !== "ENOENT") throw error;
  }
  return await read(path);
}

/**
 * Reads the public certificates of a folder and its subfolders: those whom a server admits. Files that begin with a dot or
 * end in `_secret` are passed over, so `secretKey` is null in all of them. Under Deno this needs `--allow-read`.
 *
 * @throws {TypeError} `EINVAL` for a path that is none.
 * @throws {CertificateError} `ENOENT` when there is no such folder; the errors of `readCertificate` for its files, unless
 * `onInvalid` takes them.
 */
export async function readCertificates(
  folder: string,
  { onInvalid }: ReadFolderOptions = {},
): Promise<Certificate[]> {
  checkPath("read", folder);
  const certificates: Certificate[] = [];
  for (const { name, path, isFolder } of await during("read", folder, listFolder(folder))) {
    if (name.startsWith(".") || name.endsWith(SECRET)) continue;
    if (isFolder) {
      certificates.push(...await readCertificates(path, onInvalid && { onInvalid }));
      continue;
    }
    try {
      certificates.push({ ...await read(path), secretKey: null });
    } catch (error) {
      if (onInvalid === undefined || !(error instanceof CertificateError)) throw error;
      onInvalid(error);
    }
  }
  return certificates;
}

async function read(path: string): Promise<Certificate> {
  const octets = await during("read", path, readFile(path, LONGEST));
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch (cause) {
    throw new CertificateError("EINVAL", "read", "expected text in UTF-8", { path }, cause);
  }
  return readText(text, path);
}

function checkPath(use: string, path: unknown): void {
  if (typeof path === "string" && path !== "") return;
  const got = typeof path === "string" ? "nothing" : typeof path;
  throw withCode(
    new TypeError(`Cannot ${use} certificates: expected a path as a string, not ${got}`),
    "EINVAL",
  );
}

/** Says which file it was that the system had trouble with. */
async function during<T>(use: "read" | "write", path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const { code, reason } = troubleOf(cause);
    throw new CertificateError(code, use, reason, { path }, cause);
  }
}
