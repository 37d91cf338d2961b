// Why a socket refuses an operation, or ends one that waits.

import { StateError, ZmqError } from "../errors.ts";

/** The socket was closed while the operation waited. */
export function closedMeanwhile(): ZmqError {
  return new ZmqError(
    "EAGAIN",
    "Operation was not possible or timed out: the socket was closed",
  );
}

/** The context was terminated while the operation waited. */
export function terminated(): ZmqError {
  return new ZmqError("ETERM", "Context was terminated");
}

/** The socket is closed already. */
export function isClosed(): StateError {
  return new StateError("EBADF", "Socket is closed");
}

/** Somebody else has the socket. */
export function isBorrowed(): StateError {
  return new StateError(
    "EBUSY",
    "The socket is in use: a proxy needs it for itself, without pending operations",
  );
}
