#include "base/error.h"
#include "live/manager.h"
#include "live/who.h"
#include "stack/generation.h"
#include "stack/past.h"
VarvePastStack *varve_past_stack_new(void)
{
	VarvePastStack *s = g_new0(VarvePastStack, 1);
	s->lowers = g_ptr_array_new();
	return s;
}
void varve_past_stack_free(VarvePastStack *s)
{
	g_free(s);
}
VarvePast *varve_past_load(GError **error)
{
	(void)error;
	VarvePast *p = g_new0(VarvePast, 1);
	p->stacks = g_ptr_array_new();
	return p;
}
gboolean varve_past_save(const VarvePast *p, GError **e)
{
	(void)p;
	(void)e;
	return TRUE;
}
void varve_past_free(VarvePast *p)
{
	g_free(p);
}
void varve_past_add(VarvePast *p, VarvePastStack *s, GHashTable *r)
{
	(void)r;
	g_ptr_array_add(p->stacks, s);
}
VarveWho *varve_who(const VarvePast *p, VarveWhoFind f, gpointer d, GError **e)
{
	(void)p;
	(void)f;
	(void)d;
	(void)e;
	VarveWho *w = g_new0(VarveWho, 1);
	w->holders = g_ptr_array_new();
	return w;
}
void varve_who_free(VarveWho *w)
{
	g_free(w);
}
char **varve_who_units(const VarveWho *w)
{
	(void)w;
	return g_new0(char *, 1);
}
VarveManagerWork *varve_manager_plan(const VarveChanges *c, const GPtrArray *b, const GPtrArray *a)
{
	(void)c;
	(void)b;
	(void)a;
	return g_new0(VarveManagerWork, 1);
}
void varve_manager_work_free(VarveManagerWork *w)
{
	g_free(w);
}
VarveManagerBefore *varve_manager_look(GError **e)
{
	(void)e;
	return (void *)g_new0(char, 1);
}
void varve_manager_before_free(VarveManagerBefore *b)
{
	g_free(b);
}
gboolean varve_manager_apply(const VarveManagerWork *w, GPtrArray *d, GError **e)
{
	(void)w;
	(void)d;
	(void)e;
	return TRUE;
}
gboolean varve_manager_restart(const VarveManagerWork *w, const char *const *u, GPtrArray *d,
			       GError **e)
{
	(void)w;
	(void)u;
	(void)d;
	(void)e;
	return TRUE;
}
gboolean varve_manager_healthy(const VarveManagerBefore *b, const VarveManagerWork *w, guint x,
			       GError **e)
{
	(void)b;
	(void)w;
	(void)x;
	if (g_file_test("/run/unwell", G_FILE_TEST_EXISTS))
		return varve_fail(e, VARVE_ERROR_REFUSED, "/run/unwell is there");
	return TRUE;
}
