// A Jupyter client written anew on libzmq: starts a kernel over ipc, talks to it, sends it junk, and ends it.
//
//   node jupyter_libzmq.mjs FOLDER COMMAND...
//
// What happened goes to stdout as JSON. `{connection_file}` in the command is replaced.

import { spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Dealer, Request, Subscriber } from "zeromq";

const PATIENCE_MS = 20_000;
const KEY = "a key of the test";
const DELIMITER = "<IDS|MSG>";
const CHANNELS = ["shell", "iopub", "stdin", "control", "hb"];

const [folder, ...command] = process.argv.slice(2);
const file = `${folder}/connection.json`;
const endpoint = (channel) => `ipc://${folder}/k-${CHANNELS.indexOf(channel) + 1}`;
const ports = Object.fromEntries(CHANNELS.map((channel, i) => [`${channel}_port`, i + 1]));
writeFileSync(
  file,
  JSON.stringify({
    transport: "ipc",
    ip: `${folder}/k`,
    ...ports,
    key: KEY,
    signature_scheme: "hmac-sha256",
  }),
);

const [program, ...args] = command.map((word) => word.replace("{connection_file}", file));
const kernel = spawn(program, args, {
  stdio: ["ignore", "pipe", "pipe"],
  env: { ...process.env, JPY_PARENT_PID: String(process.pid), NO_COLOR: "1" },
});
const exit = new Promise((resolve) => kernel.on("exit", (code, signal) => resolve(signal ?? code)));
let errors = "";
kernel.stderr.on("data", (chunk) => errors += chunk);
const hurry = setTimeout(() => fail("took too long"), 3 * PATIENCE_MS);

const session = randomUUID();
const sockets = {
  shell: new Dealer({ routingId: session, linger: 0 }),
  control: new Dealer({ routingId: session, linger: 0 }),
  stdin: new Dealer({ routingId: session, linger: 0 }),
  iopub: new Subscriber({ linger: 0 }),
  hb: new Request({ linger: 0 }),
};
for (const channel of CHANNELS) sockets[channel].connect(endpoint(channel));
sockets.iopub.subscribe();

function fail(what) {
  console.error(`${what}\n${errors}`);
  kernel.kill("SIGKILL");
  process.exit(1);
}

function sign(parts, key = KEY) {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}

function write(type, content, { parent = {}, key = KEY } = {}) {
  const header = {
    msg_id: randomUUID(),
    session,
    username: "tester",
    date: new Date().toISOString(),
    msg_type: type,
    version: "5.3",
  };
  const parts = [header, parent, {}, content].map((part) => JSON.stringify(part));
  return { id: header.msg_id, frames: [DELIMITER, sign(parts, key), ...parts] };
}

function read(frames) {
  const at = frames.findIndex((frame) => String(frame) === DELIMITER);
  const [signature, ...parts] = frames.slice(at + 1);
  const right = String(signature) === sign(parts.slice(0, 4));
  const [header, parent, , content] = parts.map((part) => JSON.parse(String(part)));
  return { topic: at > 0 ? String(frames[0]) : "", right, header, parent, content };
}

/** All that was published, in order. */
const published = [];
(async () => {
  for await (const frames of sockets.iopub) published.push(read(frames));
})().catch(() => {});

async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function until(condition, what) {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`No ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits for the reply and for the idle that goes with it. */
async function request(channel, type, content = {}) {
  const { id, frames } = write(type, content);
  await sockets[channel].send(frames);
  const reply = read(await within(sockets[channel].receive(), `reply to ${type}`));
  return {
    ...await outcome(id),
    type: reply.header.msg_type,
    content: reply.content,
    right: reply.right && reply.parent.msg_id === id,
  };
}

async function outcome(id) {
  const isIdle = ({ header, parent, content }) =>
    header.msg_type === "status" && parent.msg_id === id && content.execution_state === "idle";
  await until(() => published.some(isIdle), "idle");
  const mine = published.filter(({ parent }) => parent.msg_id === id);
  return {
    effects: mine.map(({ header, content }) => [header.msg_type, content]),
    signed: mine.every(({ right }) => right),
  };
}

const execute = (code, options = {}) =>
  request("shell", "execute_request", {
    code,
    silent: false,
    store_history: true,
    user_expressions: {},
    allow_stdin: false,
    stop_on_error: true,
    ...options,
  });

const told = {};
try {
  // Its first status waits for a subscriber: from then on nothing is lost.
  await until(
    () => published.some(({ content }) => content.execution_state === "starting"),
    "start",
  );
  told.info = await request("shell", "kernel_info_request");
  told.starting = published.find(({ content }) => content.execution_state === "starting").parent;
  told["control info"] = (await request("control", "kernel_info_request")).content.status;
  await sockets.hb.send("beat");
  told.heartbeat = String((await within(sockets.hb.receive(), "heartbeat"))[0]);
  told.result = await execute(
    "const a: number = 40; console.log('printed'); await Promise.resolve(a + 2)",
  );
  told.state = await execute("a");
  told.error = await execute("throw new TypeError('wrong')");
  told.topics = published.every(({ topic, header }) => topic.endsWith(header.msg_type));
  told.complete =
    (await request("shell", "complete_request", { code: "Math.sq", cursor_pos: 7 })).content;
  told.unknown = (await (async () => {
    const { id, frames } = write("comm_open", { comm_id: "1", target_name: "t", data: {} });
    await sockets.shell.send(frames);
    return await outcome(id);
  })()).effects.map(([, { execution_state }]) => execution_state);
  told.odd = (await request("shell", "execute_request", { code: 5 })).content;

  // Input: the request comes by stdin, and the answer goes back there.
  const asking = execute("await input('who? ')", { allow_stdin: true });
  const question = read(await within(sockets.stdin.receive(), "input_request"));
  told.question = [question.header.msg_type, question.content, question.right];
  await sockets.stdin.send(
    write("input_reply", { value: "Ada" }, { parent: question.header }).frames,
  );
  told.input = await asking;

  // Junk: dropped, whatever it is, and the next request is answered.
  const good = write("execute_request", { code: "globalThis.junk = true", silent: true });
  const other = write("execute_request", { code: "globalThis.junk = true" }, {
    key: "another key",
  });
  const junk = [
    [""],
    ["no delimiter"],
    [DELIMITER],
    [DELIMITER, ""],
    [DELIMITER, "", "{}", "{}", "{}"],
    [DELIMITER, "", "{}", "{}", "{}", "{}"],
    [DELIMITER, sign(["{", "{}", "{}", "{}"]), "{", "{}", "{}", "{}"],
    [DELIMITER, sign(["[]", "{}", "{}", "{}"]), "[]", "{}", "{}", "{}"],
    [DELIMITER, sign(["{}", "{}", "{}", "{}"]), "{}", "{}", "{}", "{}"],
    other.frames,
    [DELIMITER, "f".repeat(64), ...good.frames.slice(2)],
    [DELIMITER, good.frames[1].toUpperCase(), ...good.frames.slice(2)],
    Array.from({ length: 50 }, () => Buffer.alloc(100_000, 0xff)),
  ];
  for (const channel of ["shell", "control", "stdin"]) {
    for (const frames of junk) await sockets[channel].send(frames);
  }
  told["after junk"] = await execute("typeof globalThis.junk");
  // The same message twice counts once.
  const twice = write("execute_request", {
    code: "globalThis.times = (globalThis.times ?? 0) + 1",
    silent: true,
  });
  await sockets.shell.send(twice.frames);
  await within(sockets.shell.receive(), "reply");
  await sockets.shell.send(twice.frames);
  told.times = await execute("times");

  // Interrupts come by control while shell is busy.
  const waiting = execute("await new Promise(() => {})");
  await until(
    () => published.some(({ content }) => content.code?.includes("=> {}")),
    "cell that waits",
  );
  told.interrupt = (await request("control", "interrupt_request")).content;
  told.interrupted = (await waiting).content;
  const first = write("execute_request", {
    code: "await new Promise((r) => setTimeout(r, 300)); throw 1",
  });
  const second = write("execute_request", { code: "globalThis.ran = 1" });
  const third = write("kernel_info_request", {});
  for (const { frames } of [first, second, third]) await sockets.shell.send(frames);
  told.aborted = [];
  for (let i = 0; i < 3; i++) {
    const reply = read(await within(sockets.shell.receive(), "reply"));
    told.aborted.push([reply.header.msg_type, reply.content.status]);
  }
  told["not run"] = await execute("typeof ran");
  told.shutdown = await request("control", "shutdown_request", { restart: false });
  told.exit = await within(exit, "end of the kernel");
  told.errors = errors;
} catch (error) {
  fail(error.stack);
}
clearTimeout(hurry);
for (const socket of Object.values(sockets)) socket.close();
console.log(JSON.stringify(told));
process.exit(0);
