/* input.h - the bytes of senti-ingest's files as UTF-8: decompressed, converted, and an array of JSON in lines. */
#ifndef SENTI_INPUT_H
#define SENTI_INPUT_H

#include "lib/base/bytes.h"

/* For lines_conf.open; `arg` is the struct ingest. New. */
struct bytes *input_open(const void *arg, const char *path, int fd);

#endif
