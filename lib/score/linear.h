/* linear.h - trained models: their file, and the engine that scores with them.
 *
 * A file is one block, mapped and used as is; senti-model(5) describes it. It works only on machines of its own byte
 * order.
 *
 *     | struct linear_head | cells, 4 bytes a slot | words seen, 2 bits a slot | metadata, JSON for people |
 *
 * The weight of a gram is 8 bits per class; a cell also holds how rare the gram is. A class's raw score of a text is:
 *
 *     sum over groups g of  gain[g] * scale[class] * (sum of the cells' weights) /
 *                           sqrt(rarity * sum of the cells' rarities)
 *     + sum over figures f of  figure[class][f] * f
 *
 * Calibration turns these into logits: mix * (raw scores) + shift. N-grams mean little in a text whose words did not
 * occur in training, such as one in another language. So `alone` gives a second set of logits from the figures only,
 * and the share of words seen weighs one set against the other. The probabilities are the softmax.
 */
#ifndef SENTI_LINEAR_H
#define SENTI_LINEAR_H

#include "lib/base/buf.h"
#include "lib/score/features.h"

#define LINEAR_CLASSES 3
#define LINEAR_MAGIC "\x89senti-model\r\n\x1a\n"
#define LINEAR_VERSION 2

struct linear_cell {
	int8_t weight[LINEAR_CLASSES];
	uint8_t rarity; /* squared inverse document frequency; 0: not in the model */
};

struct linear_head {
	char magic[16];
	uint32_t version, byte_order;
	uint64_t check[2]; /* XXH3 of everything after it */
	uint64_t size;	   /* of the file */
	uint64_t meta_size;
	char lexicon[64]; /* the model whose result gives the figures */
	struct feature_conf features;
	uint32_t classes;		/* 2 or 3 */
	uint32_t label[LINEAR_CLASSES]; /* enum label of each class */
	uint32_t reserved[2];
	double gain[GRAM_GROUPS], rarity;
	double scale[LINEAR_CLASSES];
	double figure[LINEAR_CLASSES][FIGURES];
	double mix[LINEAR_CLASSES][LINEAR_CLASSES], shift[LINEAR_CLASSES];
	double alone[LINEAR_CLASSES][FIGURES];
	/* Shares of words seen: up to the first only `alone` counts, from the second it does not count. */
	double seen_none, seen_all;
};

#define LINEAR_BYTE_ORDER 0x01020304u

/* Completes the head (magic, sizes, checksum) and appends the file to `out`. */
void linear_write(
    struct linear_head *h, const struct linear_cell *cell, const unsigned char *seen, struct str meta, struct buf *out);

/* A text's sums of cells; with its figures, all that the raw scores depend on. */
struct linear_sums {
	int64_t weight[GRAM_GROUPS][LINEAR_CLASSES];
	uint64_t rarity[GRAM_GROUPS];
	size_t words, seen; /* words with FORM_LETTERS, and how many of them occurred in training */
};

static inline bool linear_seen(const struct linear_head *h, const unsigned char *seen, uint64_t word)
{
	uint32_t slot[2];
	seen_slots(&h->features, word, slot);
	return seen[slot[0] / 8] >> slot[0] % 8 & seen[slot[1] / 8] >> slot[1] % 8 & 1;
}

void linear_raw(
    const struct linear_head *h, const struct linear_sums *s, const double figure[FIGURES], double raw[LINEAR_CLASSES]);
/* Calibrates raw scores into logits. */
void linear_logits(const struct linear_head *h, const double raw[LINEAR_CLASSES], double z[LINEAR_CLASSES]);
/* The weight of a text's n-grams, 0 to 1, from the share of its words seen in training. */
double linear_trust(const struct linear_head *h, double share);
/* Weighs the logits against those of the figures alone. */
void linear_back_off(const struct linear_head *h, double trust, const double figure[FIGURES], double z[LINEAR_CLASSES]);
/* Logits to probabilities, in place. */
void linear_softmax(unsigned classes, double z[LINEAR_CLASSES]);

/* True if the spec names a model file rather than an engine. */
bool linear_is_path(const char *spec);

#endif
