// Our sockets in a page, driven by lines as a process is: what the page is to import beside the library.

import { DrivenSockets } from "./ws_ends.ts";
import { type Library, openerOf } from "./ws_ours.ts";

/** Sockets of the library's entry for pages. */
export function drive(library: Library): DrivenSockets {
  return new DrivenSockets(openerOf(library));
}
