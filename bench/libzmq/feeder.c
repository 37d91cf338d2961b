/*
 * Plays a PUB that ignores subscriptions: ZMTP 3.0 over a plain socket, then every topic in turn, as
 * fast as the other side reads. The sender of all rows where the subscriber filters.
 */
#include "common.h"
#include "jobs.h"
#include "topics.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING_SIZE 64
#define FRAME_SIZE (2 + BODY_SIZE)
/* Whole rounds of all topics in one write, some 120 kB. */
#define ROUNDS 100

static void write_all(int fd, const void *octets, size_t size) {
  for (size_t written = 0; written < size;) {
    ssize_t count = write(fd, (const char *)octets + written, size - written);
    if (count < 0) fail("write");
    written += (size_t)count;
  }
}

static void read_all(int fd, void *octets, size_t size) {
  for (size_t got = 0; got < size;) {
    ssize_t count = read(fd, (char *)octets + got, size - got);
    if (count <= 0) fail("read");
    got += (size_t)count;
  }
}

static int dial(const char *endpoint) {
  char host[64];
  int port;
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (sscanf(endpoint, "tcp://%63[^:]:%d", host, &port) != 2) fail("endpoint");
  address.sin_port = htons((uint16_t)port);
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("inet_pton");
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  check(fd, "socket");
  check(connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
  return fd;
}

static void handshake(int fd) {
  static const char ready[] = "\x04\x19\5READY\13Socket-Type\0\0\0\3PUB";
  unsigned char greeting[GREETING_SIZE] = {0xff, [8] = 1, [9] = 0x7f, [10] = 3};
  unsigned char command[2 + 255];
  memcpy(greeting + 12, "NULL", 4);
  write_all(fd, greeting, sizeof greeting);
  read_all(fd, greeting, sizeof greeting);
  write_all(fd, ready, sizeof ready - 1);
  read_all(fd, command, 2); /* flags and a length in one octet: a READY is short */
  read_all(fd, command + 2, command[1]);
  if (command[0] != 4 || memcmp(command + 2, "\5READY", 6)) fail("handshake");
}

void feed(char **argv) {
  static char frames[ROUNDS][TOPICS][FRAME_SIZE];
  for (int round = 0; round < ROUNDS; round++) {
    for (int topic = 0; topic < TOPICS; topic++) {
      char body[BODY_SIZE + 1];
      write_body(body, topic);
      char *frame = frames[round][topic];
      frame[0] = 0;
      frame[1] = BODY_SIZE;
      memcpy(frame + 2, body, BODY_SIZE);
    }
  }
  int fd = dial(argv[0]);
  handshake(fd);
  for (;;) write_all(fd, frames, sizeof frames);
}
