/* The filter part's messages: a topic of two digits, ten octets in all. */
#ifndef TOPICS_H
#define TOPICS_H

#define TOPICS 100
#define WANTED "42"
#define BODY_SIZE 10

/* Writes the message of a topic, and a final zero. */
#define write_body(body, topic) snprintf(body, BODY_SIZE + 1, "%02d payload", topic)

#endif
