// Tests that do not run under faults, and why.

/** By the paths of their files. */
export const EXCLUDED_FILES: Readonly<Record<string, string>> = {
  "tests/runtimes/emfile_test.ts": "its sockets are in another process, which has no faults",
  "tests/runtimes/exit_test.ts": "its sockets are in other processes, which have no faults",
  "tests/runtimes/mute_test.ts":
    "it takes a peer for full that takes nothing for some milliseconds",
  "tests/runtimes/pubsub_exit_test.ts": "its sockets are in other processes, which have no faults",
};

const PIECES = "it expects octets in the pieces in which they were sent";
const PACE = "it counts what a peer misses for want of time";
const TIME = "it gives what it does too little time";
const ORDER = "it expects the end of one connection to be known before the next one is made";

/** By their names. */
export const EXCLUDED_TESTS: Readonly<Record<string, string>> = {
  "tells of a connection and of its end, both with the same id": PIECES,
  "of false tells neither": PIECES,
  "of true counts for connections that the socket makes": PIECES,
  "of false counts for connections that the socket makes": PIECES,
  "do not matter to a Stream, which speaks no ZMTP": PIECES,
  "serves a STREAM too": PIECES,
  "passes over what came before the request": PIECES,
  "that awaits its sends does not overrun a reader, with 0 that do not read": PACE,
  "that awaits its sends does not overrun a reader, with 3 that do not read": PACE,
  "drops and counts what a publisher that does not read has no room for": PACE,
  "is not waited for with reconnectInterval -1": TIME,
  "that subscribes to a million topics is thrown out; nothing of it stays upstream": TIME,
  "that takes all the topics it may have gives their memory back, again and again": TIME,
  "that takes all the topics it may have is served, and forgotten when it goes": TIME,
  "that stalls is left after handshakeInterval and tried again": TIME,
  "go to the next one that a bound Push gets, before newer ones": ORDER,
  "go to the next one that a bound Pair gets, before newer ones": ORDER,
  "go to the next one that a bound Dealer gets, before newer ones": ORDER,
  "are dropped by a ROUTER, whose peer has taken its id along": ORDER,
};
