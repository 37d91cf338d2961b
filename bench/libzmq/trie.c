/*
 * What subscriptions cost a PUB, by libzmq's public functions alone. Over inproc nothing happens at
 * the publisher until it is called, so one call adds, or removes, all of them. The pipe is kept
 * full: a message that matches is dropped after the match. What a zmq_send costs otherwise is
 * measured with a single subscription and subtracted.
 */
#include "common.h"
#include "jobs.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC_SIZE 20
/* Of the look-ups, so that an interruption does not count. */
#define SLICES 50

static void write_topic(char *topic, long index) {
  char text[TOPIC_SIZE + 1];
  snprintf(text, sizeof text, "sensors/%06u/temp/", (unsigned)index % 1000000);
  memcpy(topic, text, TOPIC_SIZE);
}

/* xorshift: the same order on every machine. */
static long random_below(long limit) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (long)(state % (uint64_t)limit);
}

static void set(void *socket, int option, int value) {
  check(zmq_setsockopt(socket, option, &value, sizeof value), "zmq_setsockopt");
}

struct pair {
  void *publisher, *subscriber;
};

/* As many subscriptions as it takes in one direction, two messages in the other. */
static struct pair open_pair(const char *endpoint) {
  struct pair pair = {open_socket(ZMQ_PUB), open_socket(ZMQ_SUB)};
  set(pair.publisher, ZMQ_SNDHWM, 1);
  set(pair.publisher, ZMQ_RCVHWM, 0);
  set(pair.subscriber, ZMQ_SNDHWM, 0);
  set(pair.subscriber, ZMQ_RCVHWM, 1);
  check(zmq_bind(pair.publisher, endpoint), "zmq_bind");
  return pair;
}

/* Makes the publisher work off what has arrived, and says how long it took. */
static double work_off(void *publisher) {
  int events;
  size_t length = sizeof events;
  double start = now_seconds();
  check(zmq_getsockopt(publisher, ZMQ_EVENTS, &events, &length), "ZMQ_EVENTS");
  return now_seconds() - start;
}

/* Looks topics up in a random order; nanoseconds for each, the median of many slices. */
static double time_sends(void *publisher, const char *topics, const int *order, long lookups) {
  static double slices[SLICES];
  long each = lookups / SLICES;
  for (int slice = 0; slice < SLICES; slice++, order += each) {
    double start = now_seconds();
    for (long i = 0; i < each; i++) {
      check(zmq_send(publisher, topics + (size_t)order[i] * TOPIC_SIZE, TOPIC_SIZE, 0), "zmq_send");
    }
    slices[slice] = (now_seconds() - start) / (double)each * 1e9;
  }
  return median(slices, SLICES);
}

static void expect_delivery(struct pair pair, const char *topic, int is_wanted) {
  char received[TOPIC_SIZE];
  check(zmq_send(pair.publisher, topic, TOPIC_SIZE, 0), "zmq_send");
  int size = zmq_recv(pair.subscriber, received, sizeof received, ZMQ_DONTWAIT);
  if ((size == TOPIC_SIZE) != is_wanted) fail("wrong delivery");
}

/* A zmq_send that finds nothing at the first octet: all that is not the trie. */
static double time_bare_sends(const char *topics, const int *order, long lookups) {
  struct pair pair = open_pair("inproc://bare");
  check(zmq_setsockopt(pair.subscriber, ZMQ_SUBSCRIBE, "x", 1), "ZMQ_SUBSCRIBE");
  check(zmq_connect(pair.subscriber, "inproc://bare"), "zmq_connect");
  work_off(pair.publisher);
  return time_sends(pair.publisher, topics, order, lookups);
}

void trie(char **argv) {
  long count = atol(argv[0]), lookups = atol(argv[1]);
  char *topics = zeroed((size_t)count * TOPIC_SIZE);
  char *others = zeroed((size_t)count * TOPIC_SIZE);
  int *order = zeroed((size_t)lookups * sizeof *order);
  for (long i = 0; i < count; i++) {
    write_topic(topics + i * TOPIC_SIZE, i);
    write_topic(others + i * TOPIC_SIZE, i);
    others[i * TOPIC_SIZE + TOPIC_SIZE - 1] = '!'; /* as long a way as for a match, in vain */
  }
  for (long i = 0; i < lookups; i++) order[i] = (int)random_below(count);
  double bare = time_bare_sends(topics, order, lookups);

  struct pair pair = open_pair("inproc://trie");
  for (long i = 0; i < count; i++) {
    const char *topic = topics + i * TOPIC_SIZE;
    check(zmq_setsockopt(pair.subscriber, ZMQ_SUBSCRIBE, topic, TOPIC_SIZE), "ZMQ_SUBSCRIBE");
  }
  size_t before = mallinfo2().uordblks;
  check(zmq_connect(pair.subscriber, "inproc://trie"), "zmq_connect");
  double add = work_off(pair.publisher);
  size_t after = mallinfo2().uordblks;
  expect_delivery(pair, topics + (count - 1) * TOPIC_SIZE, 1);
  expect_delivery(pair, others, 0);

  double match = time_sends(pair.publisher, topics, order, lookups) - bare;
  double miss = time_sends(pair.publisher, others, order, lookups) - bare;

  for (long i = 0; i < count; i++) {
    const char *topic = topics + i * TOPIC_SIZE;
    check(zmq_setsockopt(pair.subscriber, ZMQ_UNSUBSCRIBE, topic, TOPIC_SIZE), "ZMQ_UNSUBSCRIBE");
  }
  double removal = work_off(pair.publisher);
  printf("{\"addNs\":%.1f,\"matchNs\":%.1f,\"missNs\":%.1f,\"removeNs\":%.1f,\"bytes\":%.1f}\n",
         add / (double)count * 1e9, match, miss, removal / (double)count * 1e9,
         ((double)after - (double)before) / (double)count);
}
