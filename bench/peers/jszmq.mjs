// jszmq, ZeroMQ in JavaScript over the package `ws`. Node only.

import { createRequire } from "node:module";
import { clockStride, report, runPeer } from "./peer.ts";

const require = createRequire(import.meta.url);
const { Pull, Push, Rep, Req } = require("jszmq");

/** It has no high-water mark: no more octets than these wait unsent, or it would end without memory. */
const WAITING = 1024 * 1024;
/** How many messages it sends before it lets others run. */
const BURST = 100;

/** It binds to all addresses, and does not say to which port: that of the server beneath. */
async function listen(socket) {
  socket.bind("ws://127.0.0.1:0");
  const { server } = socket.binds[0];
  await new Promise((resolve) => server.once("listening", resolve));
  report({ listening: `ws://127.0.0.1:${server.address().port}` });
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

function checkSize(frame, size) {
  if (frame.length === size) return;
  throw new Error(`Received a message of ${frame.length} bytes instead of ${size}`);
}

await runPeer({
  version: () => require("jszmq/package.json").version,

  async pull(size, window) {
    const socket = new Pull();
    const stride = clockStride(size);
    let untilClock = stride;
    let received = 0;
    const over = new Promise((resolve) => {
      socket.on("message", (frame) => {
        checkSize(frame, size);
        received++;
        if (--untilClock > 0) return;
        untilClock = stride;
        const result = window.observe(received);
        if (result) resolve(result);
      });
    });
    await listen(socket);
    return await over;
  },

  async push(endpoint, size) {
    const socket = new Push();
    socket.connect(endpoint);
    const [{ socket: webSocket }] = socket.endpoints;
    const payload = Buffer.alloc(size);
    while (webSocket.readyState !== 1) await turn();
    for (;;) {
      for (let i = 0; i < BURST && webSocket.bufferedAmount < WAITING; i++) socket.send(payload);
      await turn();
    }
  },

  async rep() {
    const socket = new Rep();
    socket.on("message", (frame) => socket.send(frame));
    await listen(socket);
    return await new Promise(() => {});
  },

  req(endpoint, size) {
    const socket = new Req();
    socket.connect(endpoint);
    const payload = Buffer.alloc(size);
    let answered;
    socket.on("message", (frame) => {
      checkSize(frame, size);
      answered();
    });
    return Promise.resolve(() =>
      new Promise((resolve) => {
        answered = resolve;
        socket.send(payload);
      })
    );
  },

  async connect(endpoint) {
    const socket = new Req();
    socket.connect(endpoint);
    await new Promise((resolve) => {
      socket.on("message", resolve);
      socket.send(Buffer.alloc(1));
    });
    socket.close();
  },
});
