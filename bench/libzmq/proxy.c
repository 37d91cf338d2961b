/* A forwarder: XSUB in front, XPUB behind. */
#include "common.h"
#include "jobs.h"

#include <stdio.h>

void proxy(char **argv) {
  void *front = open_socket(ZMQ_XSUB), *back = open_socket(ZMQ_XPUB);
  char front_end[256], back_end[256];
  (void)argv;
  bind_socket(front, NULL, front_end, sizeof front_end);
  bind_socket(back, NULL, back_end, sizeof back_end);
  printf("{\"listening\":\"%s\",\"backEnd\":\"%s\"}\n", front_end, back_end);
  fflush(stdout);
  check(zmq_proxy(front, back, NULL), "zmq_proxy");
}
