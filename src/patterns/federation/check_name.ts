// Names of clusters: they are routing ids on the wire.

import * as base from "../base/checks.ts";

/** A name that a cluster can have. */
export function checkName(option: string, name: string): string {
  base.checkName(option, name);
  // Ids that begin so are the routers' own.
  if (name.startsWith("\0")) {
    base.refuse(option, name, "text that does not begin with a zero octet");
  }
  return name;
}
