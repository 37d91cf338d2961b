/* The jobs of a libzmq peer, one file for each group. `argv` are the arguments after the mode. */
#ifndef JOBS_H
#define JOBS_H

/* pipeline.c */
void pull(char **argv);
void push(char **argv);

/* request_reply.c */
void rep(char **argv);
void req(char **argv);
void connect_rate(char **argv);

/* fan_out.c */
void publish(char **argv);
void subscribe(char **argv);

/* filter.c */
void publish_topics(char **argv);
void subscribe_topic(char **argv);

/* feeder.c */
void feed(char **argv);

/* proxy.c */
void proxy(char **argv);

/* inproc.c */
void inproc_throughput(char **argv);
void inproc_lent(char **argv);
void inproc_latency(char **argv);
void inproc_workers(char **argv);

/* trie.c */
void trie(char **argv);

#endif
