/*
 * The libzmq rows of the benchmark: default socket options, one I/O thread, sender and receiver in
 * separate processes. The command line and the output are those of every peer, see README.md.
 *
 * Build: cc -O2 -o bin/libzmq libzmq.c -lzmq
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

static void *context;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

static void check(int result, const char *what) {
  if (result < 0) fail(what);
}

static double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *payload_of(size_t size) {
  void *payload = calloc(size ? size : 1, 1);
  if (!payload) fail("calloc");
  return payload;
}

static void *open_bound(int type) {
  void *socket = zmq_socket(context, type);
  if (!socket) fail("zmq_socket");
  check(zmq_bind(socket, "tcp://127.0.0.1:*"), "zmq_bind");
  char endpoint[256];
  size_t length = sizeof endpoint;
  check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &length), "ZMQ_LAST_ENDPOINT");
  printf("{\"listening\":\"%s\"}\n", endpoint);
  fflush(stdout);
  return socket;
}

static void *open_connected(int type, const char *endpoint) {
  void *socket = zmq_socket(context, type);
  if (!socket) fail("zmq_socket");
  check(zmq_connect(socket, endpoint), "zmq_connect");
  return socket;
}

/* Like libzmq's own local_thr: zmq_msg_recv, which does not copy the body. */
static void pull(size_t size, double warmup, double window) {
  void *socket = open_bound(ZMQ_PULL);
  long stride = size < 1000 ? 256 : size < 256000 ? (long)(256000 / size) : 1;
  long received = 0, counted_from = 0;
  double first = 0, start = 0;
  zmq_msg_t message;
  check(zmq_msg_init(&message), "zmq_msg_init");
  for (;;) {
    check(zmq_msg_recv(&message, socket, 0), "zmq_msg_recv");
    if (zmq_msg_size(&message) != size) fail("wrong message size");
    if (++received % stride) continue;
    double now = now_seconds();
    if (first == 0) {
      first = now;
    } else if (start == 0) {
      if (now - first < warmup) continue;
      start = now;
      counted_from = received;
    } else if (now - start >= window) {
      printf("{\"count\":%ld,\"seconds\":%.6f}\n", received - counted_from, now - start);
      return;
    }
  }
}

/* A payload used again for each message, so zmq_send: the counterpart of `await push.send(payload)`. */
static void push(const char *endpoint, size_t size) {
  void *socket = open_connected(ZMQ_PUSH, endpoint);
  void *payload = payload_of(size);
  for (;;) check(zmq_send(socket, payload, size, 0), "zmq_send");
}

static void rep(void) {
  void *socket = open_bound(ZMQ_REP);
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

static int compare_doubles(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static void req(const char *endpoint, size_t size, long warmup, long count) {
  void *socket = open_connected(ZMQ_REQ, endpoint);
  void *payload = payload_of(size);
  double *samples = payload_of((size_t)count * sizeof *samples);
  zmq_msg_t reply;
  check(zmq_msg_init(&reply), "zmq_msg_init");
  for (long i = 0; i < warmup; i++) round_trip(socket, payload, size, &reply);
  for (long i = 0; i < count; i++) {
    double start = now_seconds();
    round_trip(socket, payload, size, &reply);
    samples[i] = (now_seconds() - start) * 1e6;
  }
  qsort(samples, (size_t)count, sizeof *samples, compare_doubles);
  printf("{\"medianUs\":%.2f,\"p99Us\":%.2f}\n", samples[count / 2], samples[count * 99 / 100]);
}

static void connect_and_close(const char *endpoint, zmq_msg_t *reply) {
  void *socket = open_connected(ZMQ_REQ, endpoint);
  round_trip(socket, "x", 1, reply);
  check(zmq_close(socket), "zmq_close");
}

static void connect_rate(const char *endpoint, long warmup, long count) {
  zmq_msg_t reply;
  check(zmq_msg_init(&reply), "zmq_msg_init");
  for (long i = 0; i < warmup; i++) connect_and_close(endpoint, &reply);
  double start = now_seconds();
  for (long i = 0; i < count; i++) connect_and_close(endpoint, &reply);
  printf("{\"count\":%ld,\"seconds\":%.6f}\n", count, now_seconds() - start);
}

static void print_version(void) {
  int major, minor, patch;
  zmq_version(&major, &minor, &patch);
  printf("{\"version\":\"%d.%d.%d\"}\n", major, minor, patch);
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  context = zmq_ctx_new();
  if (!context) fail("zmq_ctx_new");
  if (!strcmp(mode, "version") && argc == 2) {
    print_version();
  } else if (!strcmp(mode, "pull") && argc == 5) {
    pull((size_t)atol(argv[2]), atof(argv[3]) / 1e3, atof(argv[4]) / 1e3);
  } else if (!strcmp(mode, "push") && argc == 4) {
    push(argv[2], (size_t)atol(argv[3]));
  } else if (!strcmp(mode, "rep") && argc == 2) {
    rep();
  } else if (!strcmp(mode, "req") && argc == 6) {
    req(argv[2], (size_t)atol(argv[3]), atol(argv[4]), atol(argv[5]));
  } else if (!strcmp(mode, "connect") && argc == 5) {
    connect_rate(argv[2], atol(argv[3]), atol(argv[4]));
  } else {
    fprintf(stderr,
            "usage: libzmq version\n"
            "       libzmq pull SIZE WARMUP_MS WINDOW_MS\n"
            "       libzmq push ENDPOINT SIZE\n"
            "       libzmq rep\n"
            "       libzmq req ENDPOINT SIZE WARMUP COUNT\n"
            "       libzmq connect ENDPOINT WARMUP COUNT\n");
    return 2;
  }
  return 0; /* exiting with sockets open is what we want: nothing is left to deliver */
}
