import { ZmqError } from "../errors.ts";

/** Where in which file something is wrong. */
export interface CertificatePlace {
  /** The file; undefined for a text that was given. */
  readonly path?: string | undefined;
  /** The line, from 1. */
  readonly line?: number | undefined;
}

/**
 * A certificate could not be read or written: `EINVAL` (it is none, or it contradicts itself), `ENOENT`, `EEXIST`, `EACCES`,
 * `EFBIG` and others of the system, `ENOTSUP`. Its text names the file, the line and the rule, and quotes nothing of what
 * the file says, which may be a secret.
 */
export class CertificateError extends ZmqError {
  /** The name of the class. */
  override readonly name: string = "CertificateError";
  /** The file, where one is involved. */
  readonly path: string | undefined;
  /** The line of the file or text, from 1, where there is one. */
  readonly line: number | undefined;

  /** Made by this package; exported so that `instanceof` works. */
  constructor(
    code: string,
    use: "read" | "write",
    reason: string,
    { path, line }: CertificatePlace,
    cause?: unknown,
  ) {
    const place = [path ?? "a certificate"];
    if (line !== undefined) place.push(`line ${line}`);
    super(code, `Cannot ${use} ${place.join(", ")}: ${reason}`, { cause });
    this.path = path;
    this.line = line;
  }
}
