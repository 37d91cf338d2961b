/* Throughput: PUSH to PULL. */
#include "common.h"
#include "jobs.h"

#include <stdlib.h>

/* Like libzmq's own local_thr: zmq_msg_recv, which does not copy the body. */
void pull(char **argv) {
  size_t size = (size_t)atol(argv[0]);
  struct window window = open_window(argv[1], argv[2]);
  void *socket = open_bound(ZMQ_PULL, argv[3]);
  long stride = clock_stride(size);
  long received = 0;
  zmq_msg_t message;
  check(zmq_msg_init(&message), "zmq_msg_init");
  for (;;) {
    check(zmq_msg_recv(&message, socket, 0), "zmq_msg_recv");
    if (zmq_msg_size(&message) != size) fail("wrong message size");
    if (++received % stride) continue;
    if (window_is_over(&window, received)) return;
  }
}

/* A payload used again for each message, so zmq_send: the counterpart of `await push.send(payload)`. */
void push(char **argv) {
  void *socket = open_connected(ZMQ_PUSH, argv[0]);
  size_t size = (size_t)atol(argv[1]);
  void *payload = zeroed(size);
  for (;;) check(zmq_send(socket, payload, size, 0), "zmq_send");
}
