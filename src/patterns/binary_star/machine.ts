// The rules of a Binary Star pair, as a function without a clock or a socket (guide, chapter 4).

/** Which of the two a server is. The primary is the one that should be active in quiet times. */
export type BinaryStarRole = "primary" | "backup";

/** What a server is doing: it has just started (`primary`, `backup`), serves clients (`active`), or stands by (`passive`). */
export type BinaryStarState = "primary" | "backup" | "active" | "passive";

/** What can happen to it: it hears the other's state, or a client asks for something. */
export type BinaryStarInput =
  | "peer-primary"
  | "peer-backup"
  | "peer-active"
  | "peer-passive"
  | "client-request";

/** What is true at the moment of an input. */
export interface BinaryStarFacts {
  /** Which of the two this server is. */
  readonly role: BinaryStarRole;
  /** The other was silent for longer than the patience. */
  readonly peerSilent: boolean;
  /** If both are active: this one became it later, so it stays. */
  readonly wins: boolean;
}

/** What comes of an input. */
export interface BinaryStarOutcome {
  /** The state from now on. */
  readonly state: BinaryStarState;
  /** False for a request of a client that must not be served. */
  readonly accepted: boolean;
  /** Both were found in this state, which must not be; `state` says how it goes on. */
  readonly conflict?: "active" | "passive";
}

/**
 * The next state. The transitions are the guide's, but for the two that are fatal there: of two active ones the one that
 * became active first steps down, of two passive ones the primary becomes active.
 */
export function binaryStarTransition(
  state: BinaryStarState,
  input: BinaryStarInput,
  { role, peerSilent, wins }: BinaryStarFacts,
): BinaryStarOutcome {
  if (state === "active") {
    if (input !== "peer-active") return { state, accepted: true };
    return { state: wins ? "active" : "passive", accepted: wins, conflict: "active" };
  }
  switch (input) {
    case "peer-active":
      return { state: "passive", accepted: false };
    case "peer-backup":
      // The other has just started and waits for an active one: that is this one, unless it is a backup itself.
      return { state: state === "backup" ? state : "active", accepted: false };
    case "peer-primary":
      return { state: state === "passive" ? "active" : state, accepted: false };
    case "peer-passive":
      if (state !== "passive") return { state, accepted: false };
      return { state: role === "primary" ? "active" : state, accepted: false, conflict: "passive" };
    case "client-request": {
      // A backup that has not seen its primary never serves: the primary may be there, for others to see.
      const takesOver = peerSilent && state !== "backup";
      return { state: takesOver ? "active" : state, accepted: takesOver };
    }
  }
}
