// A door that nobody watches: no ZAP domain, no handler.

import { Door } from "../../src/security/zap.ts";

/** Lets everybody in. */
export function openDoor(): Door {
  return new Door({ domain: "", enforced: false }, "", () => ({ reply: undefined, cancel() {} }));
}
