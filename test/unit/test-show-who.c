/* cli/varvectl/show-who.c: what is said to whom that runs old code. */
#include "cli/varvectl/show-who.h"

static void test_next(void)
{
	static const struct {
		gint pid;
		const char *unit, *declared;
		gboolean follows;
		const char *next;
	} cases[] = {
		{ 1, "init.scope", "", TRUE, "systemctl daemon-reexec" },
		{ 9, "app.service", "", TRUE, "systemctl restart app.service" },
		{ 9, "app.service", "restart", TRUE, "systemctl restart app.service" },
		{ 9, "ssh.service", "reload", TRUE, "systemctl reload ssh.service" },
		/* It would go on seeing the earlier stack. */
		{ 9, "ssh.service", "reload", FALSE, "systemctl restart ssh.service" },
		{ 9, "data.service", "ask", TRUE, "systemctl restart data.service" },
		{ 9, "dbus-broker.service", "", TRUE,
		  "start the node again: all that talks over the bus would lose it" },
		{ 9, "session-3.scope", "", TRUE,
		  "log out of all sessions of its user, and in again" },
		{ 9, "run-9.scope", "", TRUE, "restart what started run-9.scope" },
		{ 9, "", "", TRUE, "end process 9" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		VarveHeldFile file = { .path = (char *)"/usr/bin/app", .code = TRUE };
		g_autoptr(GPtrArray) files = g_ptr_array_new();
		VarveHolder holder = { .pid = cases[i].pid,
				       .unit = (char *)cases[i].unit,
				       .follows = cases[i].follows,
				       .files = files };
		g_autofree char *next = NULL;

		g_ptr_array_add(files, &file);
		next = varve_show_who_next(&holder, cases[i].declared);
		g_assert_cmpstr(next, ==, cases[i].next);
	}
}

/* Data alone is no reason for anything. */
static void test_nothing(void)
{
	VarveHeldFile file = { .path = (char *)"/usr/share/data" };
	g_autoptr(GPtrArray) files = g_ptr_array_new();
	VarveHolder holder = {
		.pid = 9, .unit = (char *)"ssh.service", .follows = TRUE, .files = files
	};
	g_autofree char *next = NULL;

	g_ptr_array_add(files, &file);
	next = varve_show_who_next(&holder, "reload");
	g_assert_cmpstr(next, ==, "nothing: its code is new");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/show-who/next", test_next);
	g_test_add_func("/show-who/nothing-to-do", test_nothing);
	return g_test_run();
}
