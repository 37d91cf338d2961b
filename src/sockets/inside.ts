// The inside of sockets, for the files of this folder: their classes show none of it.

import type { Pattern } from "../routing/pattern.ts";
import type { Engine } from "./engine.ts";
import type { Socket } from "./socket.ts";

let find: (socket: Socket) => Engine;

/** The base class alone can look into its instances. */
export function lookInside(look: (socket: Socket) => Engine): void {
  find = look;
}

/** The engine of a socket. */
export function engineOf(socket: Socket): Engine {
  return find(socket);
}

/** The rules of a socket, by a class that knows which they are. */
export function patternOf<P extends Pattern>(socket: Socket): P {
  return find(socket).pattern as P;
}
