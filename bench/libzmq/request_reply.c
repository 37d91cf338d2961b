/* Latency and connections: REQ to REP and back. */
#include "common.h"
#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>

void rep(char **argv) {
  void *socket = open_bound(ZMQ_REP, argv[0]);
  zmq_msg_t message;
  check(zmq_msg_init(&message), "zmq_msg_init");
  for (;;) {
    check(zmq_msg_recv(&message, socket, 0), "zmq_msg_recv");
    check(zmq_msg_send(&message, socket, 0), "zmq_msg_send");
  }
}

static void round_trip(void *socket, const void *payload, size_t size, zmq_msg_t *reply) {
  check(zmq_send(socket, payload, size, 0), "zmq_send");
  check(zmq_msg_recv(reply, socket, 0), "zmq_msg_recv");
  if (zmq_msg_size(reply) != size) fail("wrong reply size");
}

void req(char **argv) {
  void *socket = open_connected(ZMQ_REQ, argv[0]);
  size_t size = (size_t)atol(argv[1]);
  long warmup = atol(argv[2]), count = atol(argv[3]);
  void *payload = zeroed(size);
  double *samples = zeroed((size_t)count * sizeof *samples);
  zmq_msg_t reply;
  check(zmq_msg_init(&reply), "zmq_msg_init");
  for (long i = 0; i < warmup; i++) round_trip(socket, payload, size, &reply);
  for (long i = 0; i < count; i++) {
    double start = now_seconds();
    round_trip(socket, payload, size, &reply);
    samples[i] = (now_seconds() - start) * 1e6;
  }
  sort(samples, count);
  printf("{\"medianUs\":%.2f,\"p99Us\":%.2f}\n", samples[count / 2], samples[count * 99 / 100]);
}

static void connect_and_close(const char *endpoint, zmq_msg_t *reply) {
  void *socket = open_connected(ZMQ_REQ, endpoint);
  round_trip(socket, "x", 1, reply);
  check(zmq_close(socket), "zmq_close");
}

void connect_rate(char **argv) {
  const char *endpoint = argv[0];
  long warmup = atol(argv[1]), count = atol(argv[2]);
  zmq_msg_t reply;
  check(zmq_msg_init(&reply), "zmq_msg_init");
  for (long i = 0; i < warmup; i++) connect_and_close(endpoint, &reply);
  double start = now_seconds();
  for (long i = 0; i < count; i++) connect_and_close(endpoint, &reply);
  printf("{\"count\":%ld,\"seconds\":%.6f}\n", count, now_seconds() - start);
}
