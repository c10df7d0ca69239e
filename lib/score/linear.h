/* linear.h - trained models: their file, and the engine that scores with them.
 *
 * A file is one block that is mapped and used as it lies; senti-model(5) describes it. It is read on machines of its own byte order only.
 *
 *     | struct linear_head | cells, 4 bytes a slot | metadata, JSON for people |
 *
 * The weight of a gram is 8 bits a class; a cell also holds how rare the gram is. What a class gets from a text:
 *
 *     sum over groups g of  gain[g] * scale[class] * (sum of the cells' weights) / sqrt(rarity * sum of the cells' rarities)
 *     + sum over figures f of  figure[class][f] * f
 *
 * and the probabilities are the softmax of mix * (these) + shift, which is what calibration fits.
 */
#ifndef SENTI_LINEAR_H
#define SENTI_LINEAR_H

#include "lib/base/buf.h"
#include "lib/score/features.h"

#define LINEAR_CLASSES 3
#define LINEAR_MAGIC "\x89senti-model\r\n\x1a\n"
#define LINEAR_VERSION 1

struct linear_cell {
	int8_t weight[LINEAR_CLASSES];
	uint8_t rarity; /* squared inverse document frequency; 0: a gram that training left out */
};

struct linear_head {
	char magic[16];
	uint32_t version, byte_order;
	uint64_t check[2]; /* XXH3 of all that follows */
	uint64_t size;	   /* of the file */
	uint64_t meta_size;
	char lexicon[64]; /* the model whose result gave the figures */
	struct feature_conf features;
	uint32_t classes;		/* 2 or 3 */
	uint32_t label[LINEAR_CLASSES]; /* enum label of each class */
	uint32_t reserved[2];
	double gain[GRAM_GROUPS], rarity;
	double scale[LINEAR_CLASSES];
	double figure[LINEAR_CLASSES][FIGURES];
	double mix[LINEAR_CLASSES][LINEAR_CLASSES], shift[LINEAR_CLASSES];
};

#define LINEAR_BYTE_ORDER 0x01020304u

/* Completes the head (magic, sizes, checksum) and appends the file. */
void linear_write(struct linear_head *h, const struct linear_cell *cell, struct str meta, struct buf *out);

/* Checks a file's bytes, which must be aligned to 8: 0, or -1 and *e naming `path`. */
MUST_USE int linear_check(const void *bytes, size_t n, const char *path, struct err *e);

/* What the classes get from the sums of a text's cells and its figures, before calibration. */
struct linear_sums {
	int64_t weight[GRAM_GROUPS][LINEAR_CLASSES];
	uint64_t rarity[GRAM_GROUPS];
};
void linear_raw(
    const struct linear_head *h, const struct linear_sums *s, const double figure[FIGURES], double raw[LINEAR_CLASSES]);
/* Probabilities of the classes. */
void linear_softmax(const struct linear_head *h, const double raw[LINEAR_CLASSES], double p[LINEAR_CLASSES]);

/* -m linear, or a path. */
extern const struct engine linear_engine;
/* True if the spec names a model file rather than an engine. */
bool linear_is_path(const char *spec);

#endif
