/* How units are, and whether that is well; which parameters sysctl.d(5) sets. */
#include "live/sysctl-keys.h"
#include "live/unit-states.h"
#include "live/well.h"

#include <string.h>

static const char shown[] = "Restart=on-failure\n"
			    "NRestarts=2\n"
			    "Result=success\n"
			    "BusName=org.x\n"
			    "Id=ssh.service\n"
			    "Names=sshd.service ssh.service\n"
			    "RequiredBy=\n"
			    "WantedBy=multi-user.target y.target\n"
			    "UpheldBy=z.target\n"
			    "TriggeredBy=\n"
			    "LoadState=loaded\n"
			    "ActiveState=active\n"
			    "SubState=running\n"
			    "FragmentPath=/usr/lib/systemd/system/ssh.service\n"
			    "Transient=no\n"
			    "CanStart=yes\n"
			    "CanReload=yes\n"
			    "\n"
			    "Id=a=b.timer\n"
			    "ActiveState=inactive\n"
			    "\n"
			    "LoadState=nobody's\n"
			    "\n"
			    "Id=ssh.service\n"
			    "ActiveState=failed\n";

/* Of lines "PROPERTY=VALUE", with an empty line after each unit. */
static VarveUnitStates *states_of_text(const char *text)
{
	VarveUnitStates *states = varve_unit_states_new();
	g_auto(GStrv) units = g_strsplit(text, "\n\n", -1);

	for (char **unit = units; *unit; unit++) {
		g_autoptr(GHashTable) properties =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		g_auto(GStrv) lines = g_strsplit(*unit, "\n", -1);

		for (char **line = lines; *line; line++) {
			g_auto(GStrv) pair = g_strsplit(*line, "=", 2);

			if (pair[0] && pair[1])
				g_hash_table_replace(properties, g_strdup(pair[0]),
						     g_strdup(pair[1]));
		}
		varve_unit_states_add(states, properties);
	}
	return states;
}

static void test_properties(void)
{
	g_autoptr(VarveUnitStates) states = states_of_text(shown);
	const VarveUnitState *ssh = varve_unit_states_find(states, "sshd.service");
	const VarveUnitState *timer = varve_unit_states_find(states, "a=b.timer");
	g_autofree char *wanted = NULL;

	g_assert_cmpuint(states->list->len, ==, 2);
	g_assert_nonnull(ssh);
	g_assert_true(ssh == varve_unit_states_find(states, "ssh.service"));
	wanted = g_strjoinv(" ", ssh->wanted_by);
	g_assert_cmpstr(wanted, ==, "multi-user.target y.target z.target");
	g_assert_cmpstr(ssh->fragment, ==, "/usr/lib/systemd/system/ssh.service");
	g_assert_cmpuint(ssh->restarts, ==, 2);
	g_assert_true(ssh->bus && ssh->can_start && ssh->can_reload && !ssh->transient);
	g_assert_true(varve_unit_is_active(ssh));
	g_assert_nonnull(timer);
	g_assert_false(timer->bus || timer->can_start || varve_unit_is_active(timer));
	g_assert_cmpstr(timer->fragment, ==, "");
	g_assert_null(varve_unit_states_find(states, "multi-user.target"));
}

static void test_templates(void)
{
	static const char *const list[] = { "getty@.service", "x.service", NULL };
	g_autofree char *template = varve_unit_template("getty@tty1.service");

	g_assert_cmpstr(template, ==, "getty@.service");
	g_assert_null(varve_unit_template("x.service"));
	g_assert_null(varve_unit_template("getty@.service"));
	g_assert_null(varve_unit_template("a.b@c"));
	g_assert_true(varve_unit_among("getty@tty1.service", (char *const *)list));
	g_assert_true(varve_unit_among("x.service", (char *const *)list));
	g_assert_false(varve_unit_among("x@1.service", (char *const *)list));
	g_assert_false(varve_unit_among("x.service", NULL));
}

/* "NAME ACTIVE RESTARTS", with more properties behind a comma. */
static VarveUnitStates *states_of(const char *units)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(units, ";", *units ? -1 : 0);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit(g_strstrip(*line), " ", 4);

		g_string_append_printf(text,
				       "FragmentPath=/usr/lib/systemd/system/%s\nId=%s\n"
				       "ActiveState=%s\nSubState=sub\nNRestarts=%s\n%s\n\n",
				       words[0], words[0], words[1], words[2],
				       words[3] ? words[3] : "");
	}
	return states_of_text(text->str);
}

typedef struct {
	const char *name, *before, *now, *stop;
	VarveWell well;
	const char *unit, *reason;
} Case;

static const Case cases[] = {
	{ "nothing", "", "", "", VARVE_WELL, NULL, NULL },
	{ "same", "a.service active 0; b.service inactive 0; c.service failed 0",
	  "a.service active 0; b.service inactive 0; c.service failed 0", "", VARVE_WELL, NULL,
	  NULL },
	{ "inactive", "a.service active 0", "a.service inactive 0", "", VARVE_WELL_NOT_YET,
	  "a.service", "was active and is inactive (sub)" },
	{ "activating", "a.service active 0", "a.service activating 0", "", VARVE_WELL_NOT_YET,
	  "a.service", "was active and is activating (sub)" },
	{ "gone", "a.service active 0; b.service inactive 0", "", "", VARVE_WELL_NOT_YET,
	  "a.service", "was active and is not there any more" },
	{ "stopped", "a.service active 0; t@1.service active 0", "t@1.service failed 0",
	  "a.service t@.service", VARVE_WELL, NULL, NULL },
	{ "failed", "a.service active 0", "a.service failed 0", "", VARVE_WELL_NEVER, "a.service",
	  "failed (sub)" },
	{ "a-new-one-failed", "", "n.service failed 0 Result=exit-code", "", VARVE_WELL_NEVER,
	  "n.service", "failed (exit-code)" },
	{ "failed-is-worse", "a.service active 0; b.service active 0",
	  "a.service inactive 0; b.service failed 0", "", VARVE_WELL_NEVER, "b.service",
	  "failed (sub)" },
	{ "came-up-at-the-second-try", "a.service active 3", "a.service active 4", "", VARVE_WELL,
	  NULL, NULL },
	{ "again-and-again", "a.service active 3", "a.service active 5", "", VARVE_WELL_NEVER,
	  "a.service", "was restarted 2 times" },
	{ "a-new-one-again-and-again", "", "a.service activating 2", "", VARVE_WELL_NEVER,
	  "a.service", "was restarted 2 times" },
	{ "reloading", "a.service active 0", "a.service reloading 0", "", VARVE_WELL, NULL, NULL },
	{ "on-demand", "a.service active 0 BusName=org.a; b.service active 0 TriggeredBy=b.socket",
	  "a.service inactive 0 BusName=org.a; b.service inactive 0 TriggeredBy=b.socket", "",
	  VARVE_WELL, NULL, NULL },
	{ "on-demand-and-wanted", "a.service active 0",
	  "a.service inactive 0 BusName=org.a\nWantedBy=multi-user.target", "", VARVE_WELL_NOT_YET,
	  "a.service", "was active and is inactive (sub)" },
	{ "on-demand-and-failed", "a.service active 0", "a.service failed 0 BusName=org.a", "",
	  VARVE_WELL_NEVER, "a.service", "failed (sub)" },
	{ "sessions-come-and-go",
	  "user@0.service active 0; session-1.scope active 0; x.device active 0; "
	  "serial-getty@ttyS0.service active 0; run-1.service active 0 Transient=yes; "
	  "run-x.mount active 0 FragmentPath=",
	  "", "", VARVE_WELL, NULL, NULL },
	{ "a-mount-of-a-unit-file", "var.mount active 0", "var.mount inactive 0", "",
	  VARVE_WELL_NOT_YET, "var.mount", "was active and is inactive (sub)" },
};

static void test_well(gconstpointer data)
{
	const Case *c = data;
	g_autoptr(VarveUnitStates) before = states_of(c->before), now = states_of(c->now);
	g_auto(GStrv) stop = g_strsplit(c->stop, " ", *c->stop ? -1 : 0);
	g_autoptr(GHashTable) lowest = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *reason = NULL;
	const char *unit;
	guint restarts;

	g_assert_cmpint(varve_units_well(before, now, stop, lowest, &unit, &reason, &restarts), ==,
			c->well);
	g_assert_cmpstr(unit, ==, c->unit);
	g_assert_cmpstr(reason, ==, c->reason);
}

/* A restart by hand begins the count anew. */
static void test_restarts_are_counted_from_the_lowest(void)
{
	static const char *const counts[] = { "a.service active 7", "a.service active 0",
					      "a.service active 1", "a.service active 2" };
	static const guint expected[] = { 0, 0, 1, 2 };
	g_autoptr(VarveUnitStates) before = states_of("a.service active 7");
	g_autoptr(GHashTable) lowest = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
		g_autoptr(VarveUnitStates) now = states_of(counts[i]);
		guint restarts;
		VarveWell well = varve_units_well(before, now, NULL, lowest, NULL, NULL, &restarts);

		g_assert_cmpuint(restarts, ==, expected[i]);
		g_assert_cmpint(well, ==, expected[i] > 1 ? VARVE_WELL_NEVER : VARVE_WELL);
	}
}

static void test_sysctl(void)
{
	g_autoptr(GPtrArray) found =
		varve_sysctl_prefixes("# a.b = 1\n; c = 1\n\nnet.ipv4.ip_forward=1\n"
				      "  -net/ipv6/conf/all/forwarding = 1\n"
				      "net.ipv4.conf.*.rp_filter = 2\n"
				      "net.ipv4.conf.eth?.x = 2\n* = 1\n-net.ipv4.no\n"
				      "net.ipv4.ip_forward = 0");

	g_ptr_array_add(found, NULL);
	g_assert_cmpstrv(found->pdata,
			 ((const char *[]){ "net.ipv4.ip_forward", "net/ipv6/conf/all/forwarding",
					    "net.ipv4.conf", NULL }));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/unit-states/properties", test_properties);
	g_test_add_func("/unit-states/templates", test_templates);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = g_strdup_printf("/unit-states/well/%s", cases[i].name);

		g_test_add_data_func(name, &cases[i], test_well);
	}
	g_test_add_func("/unit-states/restarts-are-counted-from-the-lowest",
			test_restarts_are_counted_from_the_lowest);
	g_test_add_func("/unit-states/sysctl", test_sysctl);
	return g_test_run();
}
