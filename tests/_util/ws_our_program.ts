// Our sockets in a process of their own, driven by lines on the standard input; see ws_ends.ts.

import * as library from "../../mod.ts";
import { openerOf } from "./ws_ours.ts";
import { serveLines } from "./ws_lines.ts";

serveLines(openerOf(library));
