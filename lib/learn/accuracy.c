/* accuracy.c - accuracy and related figures. */
#include "lib/learn/accuracy.h"

#include <math.h>

#include "lib/json/write.h"

static void add_confidence(struct accuracy *m, double confidence, bool right)
{
	if (!(confidence >= 0 && confidence <= 1))
		return;
	int bin = (int)(confidence * CALIBRATION_BINS);
	bin = bin < CALIBRATION_BINS ? bin : CALIBRATION_BINS - 1;
	m->bin[bin].n++;
	m->bin[bin].right += right;
	m->bin[bin].confidence += confidence;
}

/* Welford's update of a covariance. */
static void add_rating(struct accuracy *m, double x, double y)
{
	m->rated++;
	double dx = x - m->mean_x, dy = y - m->mean_y;
	m->mean_x += dx / (double)m->rated;
	m->mean_y += dy / (double)m->rated;
	m->xx += dx * (x - m->mean_x);
	m->yy += dy * (y - m->mean_y);
	m->xy += dx * (y - m->mean_y);
}

void accuracy_add(struct accuracy *m, const struct gold *gold, const struct estimate *guess)
{
	if (gold->has_number)
		add_rating(m, guess->score, gold->number);
	if (!gold->has_class)
		return;
	m->n++;
	m->confusion[gold->label][guess->label]++;
	add_confidence(m, guess->confidence, gold->label == guess->label);
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : NAN;
}

static double calibration_error(const struct accuracy *m)
{
	uint64_t n = 0;
	double off = 0;
	for (size_t i = 0; i < CALIBRATION_BINS; i++) {
		n += m->bin[i].n;
		off += fabs((double)m->bin[i].right - m->bin[i].confidence);
	}
	return n ? off / (double)n : NAN;
}

struct figures accuracy_figures(const struct accuracy *m)
{
	struct figures f = {.ece = calibration_error(m)};
	uint64_t right = 0;
	double sum_f1 = 0, sum_recall = 0;
	unsigned seen = 0, labelled = 0;
	for (size_t c = 0; c < LABELS; c++) {
		uint64_t gold = 0, guessed = 0, both = m->confusion[c][c];
		for (size_t k = 0; k < LABELS; k++) {
			gold += m->confusion[c][k];
			guessed += m->confusion[k][c];
		}
		right += both;
		f.precision[c] = share(both, guessed);
		f.recall[c] = share(both, gold);
		f.f1[c] = share(2 * both, gold + guessed);
		seen += gold + guessed > 0;
		labelled += gold > 0;
		sum_f1 += gold + guessed ? f.f1[c] : 0;
		sum_recall += gold ? f.recall[c] : 0;
	}
	f.accuracy = share(right, m->n);
	f.macro_f1 = seen ? sum_f1 / seen : NAN;
	f.macro_recall = labelled ? sum_recall / labelled : NAN;
	f.pearson = m->xx > 0 && m->yy > 0 ? m->xy / sqrt(m->xx * m->yy) : NAN;
	return f;
}

static void put_value(struct buf *b, double v)
{
	if (isnan(v))
		buf_str(b, STR("null"));
	else
		json_put_fixed(b, v, 6);
}

static void put(struct buf *b, struct str name, double v)
{
	json_put_name(b, name);
	put_value(b, v);
}

static void put_interval(struct buf *b, struct str name, struct interval i)
{
	json_put_name(b, name);
	buf_char(b, '[');
	put_value(b, i.low);
	buf_char(b, ',');
	put_value(b, i.high);
	buf_char(b, ']');
}

static void put_count(struct buf *b, struct str name, uint64_t n)
{
	json_put_name(b, name);
	buf_u64(b, n);
}

static void put_class(struct buf *b, const struct accuracy *m, const struct figures *f, size_t c)
{
	uint64_t support = 0;
	for (size_t k = 0; k < LABELS; k++)
		support += m->confusion[c][k];
	json_put_name(b, str_of(label_name((enum label)c)));
	buf_char(b, '{');
	put(b, STR("precision"), f->precision[c]);
	put(b, STR("recall"), f->recall[c]);
	put(b, STR("f1"), f->f1[c]);
	put_count(b, STR("support"), support);
	buf_char(b, '}');
}

void accuracy_json(const struct accuracy *m, const struct intervals *i, struct buf *b)
{
	struct figures f = accuracy_figures(m);
	put_count(b, STR("n"), m->n);
	put(b, STR("accuracy"), f.accuracy);
	put_interval(b, STR("accuracy_ci95"), i->accuracy);
	put(b, STR("macro_f1"), f.macro_f1);
	put_interval(b, STR("macro_f1_ci95"), i->macro_f1);
	put(b, STR("macro_recall"), f.macro_recall);
	put(b, STR("ece"), f.ece);
	put(b, STR("pearson"), f.pearson);
	put_count(b, STR("rated"), m->rated);
	json_put_name(b, STR("per_class"));
	buf_char(b, '{');
	for (size_t c = 0; c < LABELS; c++)
		put_class(b, m, &f, c);
	buf_char(b, '}');
	json_put_name(b, STR("confusion"));
	buf_char(b, '{');
	for (size_t c = 0; c < LABELS; c++) {
		json_put_name(b, str_of(label_name((enum label)c)));
		buf_char(b, '{');
		for (size_t k = 0; k < LABELS; k++)
			put_count(b, str_of(label_name((enum label)k)), m->confusion[c][k]);
		buf_char(b, '}');
	}
	buf_char(b, '}');
}
