/** The version of this package. */
export const version: string = "0.1.0";

/** What this version can do; the names are zeromq.js's, and those of transports that it does not have. */
export interface Capability {
  /** The tcp transport. */
  readonly tcp: boolean;
  /** The ws transport. */
  readonly ws: boolean;
  /** The wss transport. */
  readonly wss: boolean;
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

/** What it can do on a system that has tcp, local sockets, or neither. */
function capabilityWith(tcp: boolean, ipc: boolean): Capability {
  return Object.freeze({
    tcp,
    ipc,
    ws: true,
    wss: true,
    pgm: false,
    tipc: false,
    norm: false,
    curve: true,
    gssapi: false,
    draft: false,
  });
}

/** What this version can do. `zmq_has`. */
export const capability: Capability = capabilityWith(true, true);

/** What it can do where tcp is all there is: on workerd. */
export const networkCapability: Capability = capabilityWith(true, false);

/** What it can do in a page. */
export const pageCapability: Capability = capabilityWith(false, false);
