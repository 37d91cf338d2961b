/*
 * The libzmq rows of the benchmark: default socket options, one I/O thread, sender and receiver in
 * separate processes. The command line and the output are those of every peer, see ../README.md.
 *
 * Build: cc -O2 -o ../bin/libzmq *.c -lzmq
 */
#include "common.h"
#include "jobs.h"

#include <stdio.h>
#include <string.h>

static void print_version(char **argv) {
  int major, minor, patch;
  (void)argv;
  zmq_version(&major, &minor, &patch);
  printf("{\"version\":\"%d.%d.%d\"}\n", major, minor, patch);
}

static const struct {
  const char *mode;
  void (*run)(char **argv);
  int least, most;
  const char *arguments;
} jobs[] = {
    {"version", print_version, 0, 0, ""},
    {"pull", pull, 3, 4, "SIZE WARMUP_MS WINDOW_MS [ENDPOINT]"},
    {"push", push, 2, 2, "ENDPOINT SIZE"},
    {"rep", rep, 0, 1, "[ENDPOINT]"},
    {"req", req, 4, 4, "ENDPOINT SIZE WARMUP COUNT"},
    {"connect", connect_rate, 3, 3, "ENDPOINT WARMUP COUNT"},
    {"publish", publish, 1, 2, "SIZE [ENDPOINT]"},
    {"subscribe", subscribe, 5, 5, "ENDPOINT SOCKETS SIZE WARMUP_MS WINDOW_MS"},
    {"publish-topics", publish_topics, 3, 3, "ENDPOINT WARMUP_MS WINDOW_MS"},
    {"subscribe-topic", subscribe_topic, 2, 2, "WARMUP_MS WINDOW_MS"},
    {"feed", feed, 1, 1, "ENDPOINT"},
    {"proxy", proxy, 0, 0, ""},
    {"inproc-throughput", inproc_throughput, 3, 3, "SIZE WARMUP_MS WINDOW_MS"},
    {"inproc-lent", inproc_lent, 3, 3, "SIZE WARMUP_MS WINDOW_MS"},
    {"inproc-latency", inproc_latency, 3, 3, "SIZE WARMUP_MS WINDOW_MS"},
    {"inproc-workers", inproc_workers, 4, 4, "WORKERS SIZE WARMUP_MS WINDOW_MS"},
    {"trie", trie, 2, 2, "SUBSCRIPTIONS LOOKUPS"},
};

int main(int argc, char **argv) {
  context = zmq_ctx_new();
  if (!context) fail("zmq_ctx_new");
  if (argc > 1 && !strcmp(argv[1], "curve")) {
    use_curve();
    argv++;
    argc--;
  }
  for (size_t i = 0; argc > 1 && i < sizeof jobs / sizeof *jobs; i++) {
    if (strcmp(argv[1], jobs[i].mode) || argc - 2 < jobs[i].least || argc - 2 > jobs[i].most) {
      continue;
    }
    jobs[i].run(argv + 2); /* the element after the last argument is a null pointer */
    return 0; /* exiting with sockets open is what we want: nothing is left to deliver */
  }
  fprintf(stderr, "usage:\n");
  for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
    fprintf(stderr, "  libzmq [curve] %s %s\n", jobs[i].mode, jobs[i].arguments);
  }
  return 2;
}
