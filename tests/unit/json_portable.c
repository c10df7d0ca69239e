/* json_portable.c - the tests of json.c again, on the scanner and writer as machines without SSE2 have them. */
#define SENTI_PORTABLE
#include "lib/json/scan.c"
#include "lib/json/write.c"
#include "tests/unit/json.c"
