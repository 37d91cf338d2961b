/* Fan-out: one PUB, many SUBs in one process. */
#include "common.h"
#include "jobs.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

/* One message now and then, so that subscribers are reached, until the runner writes a line. */
static void wait_for_go(void *socket, const void *payload, size_t size) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  while (poll(&input, 1, 5) == 0) check(zmq_send(socket, payload, size, 0), "zmq_send");
}

void publish(char **argv) {
  size_t size = (size_t)atol(argv[0]);
  int backlog = 1024; /* as many connections at once as there are subscribers */
  void *payload = zeroed(size);
  void *socket = open_socket(ZMQ_PUB);
  check(zmq_setsockopt(socket, ZMQ_BACKLOG, &backlog, sizeof backlog), "ZMQ_BACKLOG");
  if (argv[1]) {
    check(zmq_connect(socket, argv[1]), "zmq_connect");
  } else {
    bind_and_report(socket, NULL);
  }
  wait_for_go(socket, payload, size);
  for (;;) check(zmq_send(socket, payload, size, 0), "zmq_send");
}

/* Two descriptors a socket, and libzmq allows 1023 sockets unless told otherwise. */
static void allow_sockets(int count) {
  struct rlimit limit;
  check(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  check(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, count), "ZMQ_MAX_SOCKETS");
}

struct receiver {
  int count;
  void **sockets;
  char *is_reached;
  int missing;
  size_t size;
  long stride, received;
  struct window window;
  zmq_msg_t message;
};

static void mark_reached(struct receiver *r, int index) {
  r->is_reached[index] = 1;
  if (--r->missing > 0) return;
  printf("{\"reached\":%d}\n", r->count);
  fflush(stdout);
}

/* Takes `most` messages of a socket, or what it has; returns 1 when the window is over. */
static int drain(struct receiver *r, int index, long most, int *is_any) {
  for (long i = 0; i < most; i++) {
    if (zmq_msg_recv(&r->message, r->sockets[index], ZMQ_DONTWAIT) < 0) {
      if (errno != EAGAIN) fail("zmq_msg_recv");
      return 0;
    }
    if (zmq_msg_size(&r->message) != r->size) fail("wrong message size");
    *is_any = 1;
    if (!r->is_reached[index]) mark_reached(r, index);
    if (++r->received % r->stride || r->missing) continue;
    if (window_is_over(&r->window, r->received)) return 1;
  }
  return 0;
}

/* One socket after the other; sleeps when a whole round was in vain. */
static void receive_in_rounds(struct receiver *r) {
  zmq_pollitem_t *items = zeroed((size_t)r->count * sizeof *items);
  for (int i = 0; i < r->count; i++) {
    items[i].socket = r->sockets[i];
    items[i].events = ZMQ_POLLIN;
  }
  for (;;) {
    int is_any = 0;
    for (int i = 0; i < r->count; i++) {
      if (drain(r, i, 1000, &is_any)) return;
    }
    if (!is_any) check(zmq_poll(items, r->count, -1), "zmq_poll");
  }
}

/* ZMQ_FD tells of new events only, so a socket is drained before its next turn. */
static void receive_by_epoll(struct receiver *r) {
  struct epoll_event events[256];
  int is_any = 0;
  int epoll = epoll_create1(0);
  check(epoll, "epoll_create1");
  for (int i = 0; i < r->count; i++) {
    int fd;
    size_t length = sizeof fd;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    check(zmq_getsockopt(r->sockets[i], ZMQ_FD, &fd, &length), "ZMQ_FD");
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    if (drain(r, i, LONG_MAX, &is_any)) return;
  }
  for (;;) {
    int ready = epoll_wait(epoll, events, 256, -1);
    check(ready, "epoll_wait");
    for (int i = 0; i < ready; i++) {
      if (drain(r, (int)events[i].data.u32, LONG_MAX, &is_any)) return;
    }
  }
}

void subscribe(char **argv) {
  struct receiver r = {.count = atoi(argv[1]), .size = (size_t)atol(argv[2])};
  r.missing = r.count;
  r.sockets = zeroed((size_t)r.count * sizeof *r.sockets);
  r.is_reached = zeroed((size_t)r.count);
  r.stride = clock_stride(r.size);
  r.window = open_window(argv[3], argv[4]);
  allow_sockets(r.count + 16);
  check(zmq_msg_init(&r.message), "zmq_msg_init");
  for (int i = 0; i < r.count; i++) {
    r.sockets[i] = open_socket(ZMQ_SUB);
    check(zmq_setsockopt(r.sockets[i], ZMQ_SUBSCRIBE, "", 0), "ZMQ_SUBSCRIBE");
    check(zmq_connect(r.sockets[i], argv[0]), "zmq_connect");
  }
  /* Both were tried for every number of sockets; this is the faster one of the two. */
  if (r.count < 50) {
    receive_in_rounds(&r);
  } else {
    receive_by_epoll(&r);
  }
}
