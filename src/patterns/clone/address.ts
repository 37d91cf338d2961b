// Where a server is: three endpoints, or the first of three ports.

import { refuse } from "../base/checks.ts";

/** The three endpoints of a Clone server. */
export interface CloneEndpoints {
  /** The ROUTER that answers requests for snapshots; port P. */
  readonly snapshots: string;
  /** The publisher of updates; port P+1. */
  readonly updates: string;
  /** The subscriber that collects the clients' updates; port P+2. */
  readonly collector: string;
}

/** Three endpoints, or `tcp://host:P` for the ports P, P+1 and P+2. */
export type CloneAddress = string | CloneEndpoints;

const BASE = /^(tcp:\/\/.*):(\d{1,5}|\*)$/;
const HIGHEST = 65_533;

/** The three endpoints of an address; a port `*` is three times any port. */
export function endpointsOf(name: string, address: CloneAddress): CloneEndpoints {
  if (typeof address !== "string") {
    const { snapshots, updates, collector } = address ?? {};
    for (const endpoint of [snapshots, updates, collector]) {
      if (typeof endpoint !== "string") refuse(name, endpoint, "three endpoints, all of them text");
    }
    return { snapshots, updates, collector };
  }
  const [, host, port] = BASE.exec(address) ?? [];
  if (port === "*") return { snapshots: address, updates: address, collector: address };
  if (!(Number(port) >= 1 && Number(port) <= HIGHEST)) {
    refuse(name, address, `tcp://host:P with P from 1 to ${HIGHEST}, or three endpoints`);
  }
  const at = (offset: number): string => `${host}:${Number(port) + offset}`;
  return { snapshots: at(0), updates: at(1), collector: at(2) };
}
