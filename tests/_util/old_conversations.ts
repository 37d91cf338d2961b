// What a socket of each type and a peer of an older version have to say to each other.

import type { OldProtocol, Step } from "./old_peer.ts";
import type { WIRE_CLASSES } from "./wire_classes.ts";

/** A conversation of a socket with a peer. */
export interface Conversation {
  readonly own: keyof typeof WIRE_CLASSES;
  readonly peer: string;
  /** What the peer calls itself. */
  readonly id?: string;
  readonly steps: readonly Step[];
}

const MULTIPART = ["a", "", "b".repeat(300)] as const;

const EITHER: readonly Conversation[] = [
  {
    own: "PAIR",
    peer: "PAIR",
    steps: [["says", ...MULTIPART], ["receives", ...MULTIPART], ["sends", "x"], ["hears", "x"]],
  },
  { own: "PUSH", peer: "PULL", steps: [["sends", ...MULTIPART], ["hears", ...MULTIPART]] },
  { own: "PULL", peer: "PUSH", steps: [["says", ...MULTIPART], ["receives", ...MULTIPART]] },
  ...["REP", "ROUTER"].map((peer): Conversation => ({
    own: "REQ",
    peer,
    steps: [
      ["sends", "q"],
      ["hears", "", "q"],
      ["says", "", "a"],
      ["receives", "a"],
      ["sends", "q", "r"],
      ["hears", "", "q", "r"],
    ],
  })),
  {
    own: "REP",
    peer: "REQ",
    steps: [["says", "", "q"], ["receives", "q"], ["sends", "a"], ["hears", "", "a"]],
  },
  {
    own: "REP",
    peer: "DEALER",
    steps: [
      ["says", "from", "", "q"],
      ["receives", "q"],
      ["sends", "a", ""],
      ["hears", "from", "", "a", ""],
    ],
  },
  ...["REP", "DEALER", "ROUTER"].map((peer): Conversation => ({
    own: "DEALER",
    peer,
    steps: [["says", ...MULTIPART], ["receives", ...MULTIPART], ["sends", "x"], ["hears", "x"]],
  })),
  ...["REQ", "DEALER", "ROUTER"].map((peer): Conversation => ({
    own: "ROUTER",
    peer,
    id: "ID",
    steps: [
      ["says", ...MULTIPART],
      ["receives", "ID", ...MULTIPART],
      ["sends", "ID", "", "x"],
      ["hears", "", "x"],
    ],
  })),
];

const PUBLISHED: readonly Step[] = [["sends", "Bx"], ["sends", "Ax", "y"], ["sends", "C"]];
const READ: readonly Step[] = [["says", "Bx"], ["says", "Ax", "y"], ["says", "Ax"]];

const SECOND: readonly Conversation[] = [
  ...["SUB", "XSUB"].flatMap((peer): Conversation[] => [
    { own: "PUB", peer, steps: [["says", "\x01A"], ...PUBLISHED, ["hears", "Ax", "y"]] },
    {
      own: "XPUB",
      peer,
      steps: [
        ["says", "\x01A"],
        ["receives", "\x01A"],
        ...PUBLISHED,
        ["hears", "Ax", "y"],
        ["says", "\0A"],
        ["receives", "\0A"],
        ...PUBLISHED,
        ["says", "up", "stream"],
        ["receives", "up", "stream"],
      ],
    },
  ]),
  ...["PUB", "XPUB"].flatMap((peer): Conversation[] => [
    {
      own: "SUB",
      peer,
      steps: [
        ["subscribes", "A"],
        ["hears", "\x01A"],
        ...READ,
        ["receives", "Ax", "y"],
        ["receives", "Ax"],
        ["unsubscribes", "A"],
        ["hears", "\0A"],
      ],
    },
    {
      own: "XSUB",
      peer,
      steps: [
        ["sends", "\x01A"],
        ["hears", "\x01A"],
        ["says", "Ax", "y"],
        ["receives", "Ax", "y"],
        ["sends", "\0A"],
        ["hears", "\0A"],
        ["sends", "up", "stream"],
        ["hears", "up", "stream"],
      ],
    },
  ]),
];

const FIRST: readonly Conversation[] = [
  {
    own: "PUB",
    peer: "SUB",
    steps: [...PUBLISHED, ["hears", "Bx"], ["hears", "Ax", "y"], ["hears", "C"]],
  },
  {
    own: "XPUB",
    peer: "SUB",
    steps: [
      ["receives", "\x01"],
      ...PUBLISHED,
      ["hears", "Bx"],
      ["hears", "Ax", "y"],
      ["hears", "C"],
    ],
  },
  {
    own: "SUB",
    peer: "PUB",
    steps: [
      ["subscribes", "A"],
      ...READ,
      ["receives", "Ax", "y"],
      ["receives", "Ax"],
      ["unsubscribes", "A"],
    ],
  },
  {
    own: "XSUB",
    peer: "PUB",
    steps: [["sends", "\x01A"], ["says", "Ax", "y"], ["receives", "Ax", "y"], ["sends", "\0A"]],
  },
];

/** The conversations in each version; a peer of ZMTP 1.0 does not tell its type, so one for each type of ours. */
export const CONVERSATIONS: Readonly<Record<OldProtocol, readonly Conversation[]>> = {
  "2.0": [...EITHER, ...SECOND],
  "1.0": [...EITHER, ...FIRST],
};
