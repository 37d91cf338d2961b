/* Filtering: a hundred topics in turn, one of them wanted. */
#include "common.h"
#include "jobs.h"
#include "topics.h"

#include <stdio.h>
#include <string.h>

void publish_topics(char **argv) {
  void *socket = open_connected(ZMQ_PUB, argv[0]);
  struct window window = open_window(argv[1], argv[2]);
  char bodies[TOPICS][BODY_SIZE + 1];
  int is_over = 0;
  for (int topic = 0; topic < TOPICS; topic++) write_body(bodies[topic], topic);
  /* It goes on after its own window, so that the subscriber's comes to an end. */
  for (long sent = TOPICS;; sent += TOPICS) {
    for (int topic = 0; topic < TOPICS; topic++) {
      check(zmq_send(socket, bodies[topic], BODY_SIZE, 0), "zmq_send");
    }
    if (is_over || !window_is_over(&window, sent)) continue;
    is_over = 1;
    fflush(stdout);
  }
}

void subscribe_topic(char **argv) {
  struct window window = open_window(argv[0], argv[1]);
  void *socket = open_socket(ZMQ_SUB);
  zmq_msg_t message;
  check(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, WANTED, strlen(WANTED)), "ZMQ_SUBSCRIBE");
  bind_and_report(socket, NULL);
  check(zmq_msg_init(&message), "zmq_msg_init");
  for (long received = 1;; received++) {
    check(zmq_msg_recv(&message, socket, 0), "zmq_msg_recv");
    if (memcmp(zmq_msg_data(&message), WANTED, strlen(WANTED))) fail("unwanted topic");
    if (received % 16 == 0 && window_is_over(&window, received)) return;
  }
}
