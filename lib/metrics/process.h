/* process.h - what any process reports about itself. */
#ifndef SENTI_PROCESS_H
#define SENTI_PROCESS_H

#include "lib/metrics/registry.h"

/* Adds senti_build_info: 1, with the version and the tool's name as labels. */
void process_build_info(struct registry *r, const char *tool);
/* For registry_collect, with any arg: appends process_start_time_seconds, process_cpu_seconds_total,
 * process_resident_memory_bytes, process_virtual_memory_bytes, process_open_fds and process_max_fds. */
void process_write(void *arg, struct buf *out);

#endif
