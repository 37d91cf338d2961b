#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void *context;

void give_up(const char *why) {
  fprintf(stderr, "error: %s\n", why);
  exit(1);
}

void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

void check(int result, const char *what) {
  if (result < 0) fail(what);
}

double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void *zeroed(size_t size) {
  void *memory = calloc(size ? size : 1, 1);
  if (!memory) fail("calloc");
  return memory;
}

static int compare_doubles(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

void sort(double *values, long count) {
  qsort(values, (size_t)count, sizeof *values, compare_doubles);
}

double median(double *values, long count) {
  sort(values, count);
  return values[count / 2];
}

void *open_socket(int type) {
  void *socket = zmq_socket(context, type);
  if (!socket) fail("zmq_socket");
  return socket;
}

void bind_socket(void *socket, const char *endpoint, char *bound, size_t length) {
  check(zmq_bind(socket, endpoint ? endpoint : ANY_PORT), "zmq_bind");
  check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &length), "ZMQ_LAST_ENDPOINT");
}

void bind_and_report(void *socket, const char *endpoint) {
  char bound[256];
  bind_socket(socket, endpoint, bound, sizeof bound);
  printf("{\"listening\":\"%s\"}\n", bound);
  fflush(stdout);
}

void *open_bound(int type, const char *endpoint) {
  void *socket = open_socket(type);
  secure_bound(socket);
  bind_and_report(socket, endpoint);
  return socket;
}

void *open_connected(int type, const char *endpoint) {
  void *socket = open_socket(type);
  secure_connected(socket);
  check(zmq_connect(socket, endpoint), "zmq_connect");
  return socket;
}

long clock_stride(size_t size) {
  return size < 1000 ? 256 : size < 256000 ? (long)(256000 / size) : 1;
}

struct window open_window(const char *warmup_ms, const char *window_ms) {
  struct window window = {.warmup = atof(warmup_ms) / 1e3, .length = atof(window_ms) / 1e3};
  return window;
}

int window_is_over(struct window *window, long total) {
  double now = now_seconds();
  if (window->first == 0) {
    window->first = now;
  } else if (window->start == 0) {
    if (now - window->first < window->warmup) return 0;
    window->start = now;
    window->counted_from = total;
  } else if (now - window->start >= window->length) {
    printf("{\"count\":%ld,\"seconds\":%.6f}\n", total - window->counted_from, now - window->start);
    return 1;
  }
  return 0;
}
