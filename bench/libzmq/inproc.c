/* inproc: two or more threads of one context. Like libzmq's own inproc_thr and inproc_lat, a sender
 * makes each message anew with zmq_msg_init_size, which neither copies nor clears the body. */
#include "common.h"
#include "jobs.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define INPROC "inproc://bench"

static size_t size;

static void send_new(void *socket) {
  zmq_msg_t message;
  check(zmq_msg_init_size(&message, size), "zmq_msg_init_size");
  check(zmq_msg_send(&message, socket, 0), "zmq_msg_send");
}

static char lent_body[1 << 20];

static void send_lent(void *socket) {
  zmq_msg_t message;
  check(zmq_msg_init_data(&message, lent_body, size, NULL, NULL), "zmq_msg_init_data");
  check(zmq_msg_send(&message, socket, 0), "zmq_msg_send");
}

static void (*send_one)(void *socket) = send_new;

static void receive(void *socket, zmq_msg_t *message) {
  check(zmq_msg_recv(message, socket, 0), "zmq_msg_recv");
  if (zmq_msg_size(message) != size) fail("wrong message size");
}

static void *open_inproc(int type) {
  void *socket = open_socket(type);
  check(zmq_bind(socket, INPROC), "zmq_bind");
  return socket;
}

static void pair_for_ever(void *unused) {
  void *socket = open_connected(ZMQ_PAIR, INPROC);
  (void)unused;
  for (;;) send_one(socket);
}

/* PAIR to PAIR: a thread that sends, and this one, which counts. */
void inproc_throughput(char **argv) {
  long received = 0;
  zmq_msg_t message;
  size = (size_t)atol(argv[0]);
  struct window window = open_window(argv[1], argv[2]);
  void *socket = open_inproc(ZMQ_PAIR);
  long stride = clock_stride(size);
  check(zmq_msg_init(&message), "zmq_msg_init");
  zmq_threadstart(pair_for_ever, NULL);
  for (;;) {
    receive(socket, &message);
    if (++received % stride) continue;
    if (window_is_over(&window, received)) return;
  }
}

/* The same, lending libzmq a constant body: nothing is allocated for it. */
void inproc_lent(char **argv) {
  if ((size_t)atol(argv[0]) > sizeof lent_body) fail("a body of at most 1 MiB");
  send_one = send_lent;
  inproc_throughput(argv);
}

static void echo_for_ever(void *unused) {
  void *socket = open_connected(ZMQ_PAIR, INPROC);
  (void)unused;
  zmq_msg_t message;
  check(zmq_msg_init(&message), "zmq_msg_init");
  for (;;) {
    receive(socket, &message);
    check(zmq_msg_send(&message, socket, 0), "zmq_msg_send");
  }
}

/* PAIR to PAIR and back, with one and the same message; the count is that of round trips. */
void inproc_latency(char **argv) {
  long round_trips = 0;
  zmq_msg_t message;
  size = (size_t)atol(argv[0]);
  struct window window = open_window(argv[1], argv[2]);
  void *socket = open_inproc(ZMQ_PAIR);
  zmq_threadstart(echo_for_ever, NULL);
  check(zmq_msg_init_size(&message, size), "zmq_msg_init_size");
  for (;;) {
    check(zmq_msg_send(&message, socket, 0), "zmq_msg_send");
    receive(socket, &message);
    if (++round_trips % 64) continue;
    if (window_is_over(&window, round_trips)) return;
  }
}

/* A worker's counter, alone in its cache line. */
struct worker {
  _Alignas(128) atomic_long received;
};

static void work(void *argument) {
  struct worker *worker = argument;
  void *socket = open_connected(ZMQ_PULL, INPROC);
  zmq_msg_t message;
  check(zmq_msg_init(&message), "zmq_msg_init");
  for (long received = 1;; received++) {
    receive(socket, &message);
    atomic_store_explicit(&worker->received, received, memory_order_relaxed);
  }
}

static void push_for_ever(void *socket) {
  for (;;) send_new(socket);
}

/* PUSH to a thread for each worker; this one looks at their counters every few milliseconds. */
void inproc_workers(char **argv) {
  static struct worker workers[64];
  int count = atoi(argv[0]);
  if (count < 1 || count > 64) fail("between 1 and 64 workers");
  size = (size_t)atol(argv[1]);
  struct window window = open_window(argv[2], argv[3]);
  void *socket = open_inproc(ZMQ_PUSH);
  for (int i = 0; i < count; i++) zmq_threadstart(work, &workers[i]);
  zmq_threadstart(push_for_ever, socket);
  for (;;) {
    long received = 0;
    usleep(2000);
    for (int i = 0; i < count; i++) {
      received += atomic_load_explicit(&workers[i].received, memory_order_relaxed);
    }
    if (received > 0 && window_is_over(&window, received)) return;
  }
}
