/** The version of this package. */
export const version: string = "0.1.0";

/** What this version can do beyond tcp with the NULL mechanism; the names are zeromq.js's. */
export interface Capability {
  /** The ipc transport. */
  readonly ipc: boolean;
  /** The pgm and epgm transports. */
  readonly pgm: boolean;
  /** The tipc transport. */
  readonly tipc: boolean;
  /** The norm transport. */
  readonly norm: boolean;
  /** The CURVE mechanism. */
  readonly curve: boolean;
  /** The GSSAPI mechanism. */
  readonly gssapi: boolean;
  /** The draft socket types. */
  readonly draft: boolean;
}

/** What this version can do. `zmq_has`. */
export const capability: Capability = Object.freeze({
  ipc: true,
  pgm: false,
  tipc: false,
  norm: false,
  curve: true,
  gssapi: false,
  draft: false,
});
