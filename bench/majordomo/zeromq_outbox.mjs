// Sends from anywhere: zeromq.js allows one send at a time on a socket, and now and then one has to be waited for.

/** A function that sends messages in order. */
export function outboxOf(socket) {
  let waiting = [];
  let busy = false;
  const flush = async () => {
    busy = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      for (const message of batch) await socket.send(message);
    }
    busy = false;
  };
  return (message) => {
    waiting.push(message);
    if (!busy) flush();
  };
}
