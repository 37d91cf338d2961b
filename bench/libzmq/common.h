/* What the libzmq peers share: errors, the clock, sockets, and the window a receiver counts in. */
#ifndef COMMON_H
#define COMMON_H

#include <stddef.h>
#include <zmq.h>

#define ANY_PORT "tcp://127.0.0.1:*"

extern void *context;

/* Ends the process for a reason of our own. */
void give_up(const char *why);
/* Ends the process with what libzmq says; `check` does so for a negative result. */
void fail(const char *what);
void check(int result, const char *what);

double now_seconds(void);

/* Zeroed memory that lives until the process ends. */
void *zeroed(size_t size);

void sort(double *values, long count);
/* Sorts them, too. */
double median(double *values, long count);

/* security.c: from now on, sockets that are bound are CURVE servers and those that connect clients. */
void use_curve(void);
/* Before the socket is bound, or connects. */
void secure_bound(void *socket);
void secure_connected(void *socket);

void *open_socket(int type);
void *open_connected(int type, const char *endpoint);
/* Bound to `endpoint`, or to a port of the system's choice if that is null; the endpoint is printed
 * for the runner. */
void *open_bound(int type, const char *endpoint);
void bind_and_report(void *socket, const char *endpoint);
/* Takes the endpoint as it was bound. */
void bind_socket(void *socket, const char *endpoint, char *bound, size_t length);

/* How many messages a receiver lets pass between two looks at the clock. */
long clock_stride(size_t size);

/* Leaves out a warm-up from the first look on, then counts over a fixed time. */
struct window {
  double warmup, length, first, start;
  long counted_from;
};

struct window open_window(const char *warmup_ms, const char *window_ms);
/* Takes the total so far; once the window is over prints the count and returns 1. */
int window_is_over(struct window *window, long total);

#endif
