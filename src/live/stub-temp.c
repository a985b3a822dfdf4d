#include "base/error.h"
#include "live/manager.h"
#include "stack/generation.h"
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
