/* scored.c - the series of a model. */
#include "lib/serve/scored.h"

void scored_families_add(struct scored_families *f, struct registry *r)
{
	static const struct family_def texts = {.kind = METRIC_COUNTER,
	    .name = "senti_score_texts_total",
	    .help = "Texts that were scored.",
	    .label = {"model"}};
	static const struct family_def results = {.kind = METRIC_COUNTER,
	    .name = "senti_results_total",
	    .help = "Results that were made, by their label.",
	    .label = {"label", "model"}};
	f->texts = registry_family(r, &texts);
	f->results = registry_family(r, &results);
}

void scored_open(struct scored *s, const struct scored_families *f, const struct model *m)
{
	struct str model = str_of(m->name);
	s->texts = family_series(f->texts, &model);
	for (size_t i = 0; i < LABELS; i++)
		s->result[i] = family_series(f->results, (struct str[]){str_of(label_name((enum label)i)), model});
}

void scored_add(const struct scored *s, const struct batch *b)
{
	series_add(s->texts, b->counter[COUNTER_SCORED]);
	for (size_t i = 0; i < LABELS; i++)
		if (b->results[i])
			series_add(s->result[i], b->results[i]);
}
