/*
 * The libsodium row of the benchmark: NaCl's box with a key that is computed already, as libzmq uses it for each message.
 * The command line and the output are those of the other peers, see ../README.md.
 *
 * Build: cc -O2 -o ../bin/libsodium main.c -lsodium
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Octets of all texts of a batch together, where one is not longer. */
#define BATCH_OCTETS 262144
#define MAC crypto_box_MACBYTES

static void give_up(const char *why) {
  fprintf(stderr, "error: %s\n", why);
  exit(1);
}

static double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct batch {
  size_t count, size;
  unsigned char *texts, *sealed, *opened;
  unsigned char key[crypto_box_BEFORENMBYTES], nonce[crypto_box_NONCEBYTES];
};

static void set_nonce(struct batch *batch, size_t number) {
  memcpy(batch->nonce + 16, &number, sizeof number);
}

static void seal(struct batch *batch) {
  for (size_t i = 0; i < batch->count; i++) {
    set_nonce(batch, i);
    crypto_box_easy_afternm(batch->sealed + i * (batch->size + MAC), batch->texts + i * batch->size,
                            batch->size, batch->nonce, batch->key);
  }
}

static void open(struct batch *batch) {
  for (size_t i = 0; i < batch->count; i++) {
    set_nonce(batch, i);
    if (crypto_box_open_easy_afternm(batch->opened + i * batch->size,
                                     batch->sealed + i * (batch->size + MAC), batch->size + MAC,
                                     batch->nonce, batch->key)) {
      give_up("a box does not open");
    }
  }
}

static int compare_doubles(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Texts a second: the median of the batches of the window, after a warm-up of the same length. */
static double rate(struct batch *batch, void (*job)(struct batch *), double window) {
  size_t most = 1 << 20, runs = 0;
  double *times = malloc(most * sizeof *times);
  if (!times) give_up("there is no memory");
  double start = now_seconds(), now = start;
  while (now - start < 2 * window && runs < most) {
    double before = now_seconds();
    job(batch);
    now = now_seconds();
    if (now - start >= window) times[runs++] = now - before;
  }
  qsort(times, runs, sizeof *times, compare_doubles);
  double median = times[runs / 2];
  free(times);
  return (double)batch->count / median;
}

static unsigned char *filled(size_t size) {
  unsigned char *memory = malloc(size);
  if (!memory) give_up("there is no memory");
  memset(memory, 7, size);
  return memory;
}

static void measure(size_t size, double window) {
  struct batch batch = {.count = size < BATCH_OCTETS ? BATCH_OCTETS / size : 1, .size = size};
  batch.texts = filled(batch.count * size);
  batch.opened = filled(batch.count * size);
  batch.sealed = filled(batch.count * (size + MAC));
  randombytes_buf(batch.key, sizeof batch.key);
  randombytes_buf(batch.nonce, sizeof batch.nonce);
  double sealed = rate(&batch, seal, window);
  double opened = rate(&batch, open, window);
  if (memcmp(batch.texts, batch.opened, batch.count * size)) give_up("a text has changed");
  printf("{\"sealed\":%.1f,\"opened\":%.1f}\n", sealed, opened);
}

int main(int argc, char **argv) {
  if (sodium_init() < 0) give_up("sodium_init");
  if (argc == 2 && !strcmp(argv[1], "version")) {
    printf("{\"version\":\"%s\"}\n", sodium_version_string());
  } else if (argc == 4 && !strcmp(argv[1], "boxes") && atol(argv[2]) > 0) {
    measure((size_t)atol(argv[2]), atof(argv[3]) / 1e3);
  } else {
    fprintf(stderr, "usage:\n  libsodium version\n  libsodium boxes SIZE WINDOW_MS\n");
    return 2;
  }
  return 0;
}
