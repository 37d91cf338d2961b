// The Majordomo Management Interface (RFC 8): services that the broker answers itself.

import { keyOf } from "../base/octets.ts";

const PREFIX = "mmi.";

/** What a client of this package asks, to learn whether it may number its requests (see `MajordomoClient`). */
export const ENVELOPES = "mmi.envelopes";

/** True when a service is the broker's own. */
export function isManagement(name: Uint8Array): boolean {
  for (let i = 0; i < PREFIX.length; i++) if (name[i] !== PREFIX.charCodeAt(i)) return false;
  return true;
}

/** The answer to a request; `workersOf` tells how many workers a service has. */
export function manage(
  name: Uint8Array,
  body: Uint8Array,
  workersOf: (service: Uint8Array) => number | undefined,
): string {
  switch (keyOf(name)) {
    case "mmi.service":
      return workersOf(body) ? "200" : "404";
    case ENVELOPES:
      return "200";
    default:
      return "501";
  }
}
