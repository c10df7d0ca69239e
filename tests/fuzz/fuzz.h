/* fuzz.h - what every fuzz target defines; libFuzzer's name for it. Returns 0, aborts on a find. */
#ifndef SENTI_FUZZ_H
#define SENTI_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
