// A program that opens many connections, says the same few octets on each, and leaves them so. So many at once wait for the
// server's first octets: more than there is room for in the kernel's queue would have to try again a second later. Tells
// when all of them were made, and from then on how many are still there.
// Usage: hostile_flood.ts ENDPOINT COUNT AT_ONCE [OCTETS_IN_HEX]

interface NetSocket {
  on(event: "connect" | "data" | "error" | "close" | "end", listener: () => void): void;
  write(octets: Uint8Array): void;
  destroy(): void;
}

interface NetModule {
  connect(options: { host: string; port: number; allowHalfOpen: boolean }): NetSocket;
}

const { process } = globalThis as unknown as {
  process: {
    argv: string[];
    stdin: { on(event: "end", listener: () => void): void; resume(): void };
    getBuiltinModule(name: "node:net"): NetModule;
    exit(code: number): void;
  };
};
const [endpoint, count, atOnce, hex = ""] = process.argv.slice(2);
const [, host, port] = /^tcp:\/\/(.+):(\d+)$/.exec(endpoint)!;
const octets = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const { connect } = process.getBuiltinModule("node:net");
const TELL_MS = 50;
let open = 0;

function say(text: string): void {
  // deno-lint-ignore no-console
  console.log(text);
}

/** Opens one, and resolves when the server has said something, or ended it. */
function openOne(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), allowHalfOpen: true });
    let there = false;
    const gone = (): void => {
      if (there) open--;
      there = false;
      socket.destroy();
      resolve();
    };
    socket.on("connect", () => {
      there = true;
      open++;
      if (octets.length > 0) socket.write(octets);
    });
    socket.on("data", resolve);
    for (const event of ["error", "end", "close"] as const) socket.on(event, gone);
  });
}

// Ends with the process that started it, whatever became of that.
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
let left = Number(count);
await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    while (left-- > 0) await openOne();
  }),
);
say("all made");
setInterval(() => say(`${open} open`), TELL_MS);
