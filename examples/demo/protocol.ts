// What the processes of the demo say to each other.
//
//   tasks    PUSH -> PULL   [chunk id, text]
//   results  PUSH -> PULL   [chunk id, worker, word counts]
//   control  REQ  -> REP    a Report; the answer is an Order

/** What a worker tells the control channel: first "ready", then its progress several times a second. */
export interface Report {
  readonly worker: string;
  readonly event: "ready" | "progress";
  /** Chunks this worker has counted so far. */
  readonly chunks: number;
}

/** What the control channel answers. */
export type Order = "work" | "stop";

/** The addresses of the three channels. */
export interface Addresses {
  readonly tasks: string;
  readonly results: string;
  readonly control: string;
}
