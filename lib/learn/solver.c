/* solver.c - a small interface to LIBLINEAR. */
#include "lib/learn/solver.h"

#include <linear.h>

_Static_assert(sizeof(struct fit_node) == sizeof(struct feature_node) &&
		   offsetof(struct fit_node, value) == offsetof(struct feature_node, value),
    "struct fit_node is laid out as LIBLINEAR's");

/* LIBLINEAR's output is its only progress report, and its callback takes no argument. */
static const struct task *running;

static void printed(const char *text)
{
	(void)text;
	if (running->tick)
		running->tick(running->tick_arg);
}

int solve(const struct task *t, double *w, struct err *e)
{
	int label[] = {1, -1};
	double weight[] = {t->plus, t->minus};
	struct problem p = {.l = (int)t->rows,
	    .n = (int)t->features,
	    .y = (double *)t->side,
	    .x = (struct feature_node **)(void *)t->row,
	    .bias = -1};
	struct parameter how = {.solver_type = L2R_LR_DUAL,
	    .eps = t->accuracy,
	    .C = t->cost,
	    .nr_weight = 2,
	    .weight_label = label,
	    .weight = weight};
	const char *wrong = check_parameter(&p, &how);
	if (wrong)
		return err_set(e, ERR_ENV, "LIBLINEAR refuses to train: %s", wrong);
	running = t;
	set_print_string_function(printed);
	srand((unsigned)t->seed);
	struct model *m = train(&p, &how);
	/* LIBLINEAR's positive class is that of the first row. */
	double sign = m->label[0] == 1 ? 1 : -1;
	for (size_t i = 0; i < t->features; i++)
		w[i] = sign * m->w[i];
	free_and_destroy_model(&m);
	return 0;
}
