/**
 * CURVE keys in files: certificates in the format of CZMQ's `zcert`, which pyzmq and other bindings write and read as well.
 *
 * @example Admit the clients whose certificates are in a folder
 * ```ts
 * import { readCertificates } from "@wasmq/wasmq/certificates";
 *
 * async function admitted(folder: string): Promise<string[]> {
 *   return (await readCertificates(folder)).map(({ publicKey }) => publicKey);
 * }
 * ```
 *
 * @module
 */

export {
  type Certificate,
  formatCertificate,
  type FormatOptions,
  newCertificate,
  parseCertificate,
} from "./certificate.ts";
export { CertificateError, type CertificatePlace } from "./error.ts";
export {
  readCertificate,
  readCertificates,
  type ReadFolderOptions,
  writeCertificate,
  type WriteOptions,
} from "./files.ts";
