// STREAM: octets of peers that do not speak ZMTP, each piece behind the routing id of its connection. An empty piece tells
// of a connection or its end, and ends one when it is sent (libzmq's zmq_socket(3), "Native pattern").

import { SendError, withCode } from "../errors.ts";
import { framesOf, type Outgoing, type Part, toBytes } from "../message.ts";
import type { Pipe } from "./pipe.ts";
import { RouterPattern } from "./router.ts";

/** Octets below this size may be changed once they are sent, as on the other types. */
const LENT_SIZE = 32 * 1024;

export class StreamPattern extends RouterPattern {
  /** What is sent from now on is not for the next connection to the endpoint. */
  unlinked(pipe: Pipe): void {
    this.forget(pipe);
  }

  override send(message: Outgoing): boolean {
    const frames = framesOf(message);
    if (frames.length !== 2) {
      throw withCode(
        new TypeError("A Stream sends two frames: the routing id of a connection, and octets"),
        "EINVAL",
      );
    }
    const pipe = this.find(toBytes(frames[0]));
    if (pipe === undefined) {
      throw new SendError(
        "EHOSTUNREACH",
        "Host unreachable: no connection has that routing id, or it is over",
      );
    }
    if (frames[1].length === 0) {
      pipe.link?.hangUp?.();
      return true;
    }
    if (!pipe.full && pipe.send(kept(frames[1]))) return true;
    pipe.tellFull();
    return false;
  }

  /** As in libzmq: whether a connection has room is known when its name is. */
  override get canSend(): boolean {
    return true;
  }
}

/** The octets as they are now. */
function kept(part: Part): Part {
  return typeof part === "string" || part.length >= LENT_SIZE ? part : new Uint8Array(part);
}
