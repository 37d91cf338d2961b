// The words of the Majordomo protocol.

/** Who sends. */
export const Header = { Client: "MDPC01", Worker: "MDPW01" } as const;

/** What a worker sends or is sent. */
export const Command = {
  Ready: "\x01",
  Request: "\x02",
  Reply: "\x03",
  Heartbeat: "\x04",
  Disconnect: "\x05",
} as const;
