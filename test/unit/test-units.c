/* policy/units.c: a layer says what it likes of its own units, and nothing of those of others. */
#include "policy-fixture.h"

#define UNITS "usr/lib/systemd/system/"
#define USER_UNITS "usr/lib/systemd/user/"

/* The base's /etc says that bus.service is another unit. */
static const Brought brought[] = {
	{ "a unit, what starts it, what adds to it", "-",
	  UNITS "x.service\n" UNITS "multi-user.target.wants/x.service -> ../x.service\n" UNITS
		"y.target.requires/x.service -> ../x.service\n" UNITS "x.service.d/y.conf" },
	{ "an alias", "-",
	  UNITS "x.service\n" UNITS "y.service -> x.service\n" UNITS
		"z.service -> /usr/lib/systemd/system/x.service" },
	{ "a template, its instances, what starts them", "-",
	  UNITS "x@.service\n" UNITS "x@1.service -> x@.service\n" UNITS "x@2.service\n" UNITS
		"y@.service -> x@.service\n" UNITS
		"a.target.wants/x@3.service -> ../x@.service\n" UNITS "x@.service.d/y.conf\n" UNITS
		"x@4.service.d/y.conf" },
	{ "units of users", "-",
	  USER_UNITS "x.socket\n" USER_UNITS
		     "sockets.target.wants/x.socket -> ../x.socket\n" USER_UNITS
		     "x.socket.d/y.conf" },
	{ "what is no unit", "-", UNITS "README\n" UNITS "service\n" UNITS "x.y -> z" },
	{ "a unit under a name that /etc gives another", "-", UNITS "bus.service" },

	{ "a drop-in for a type", "reserved-path", UNITS "service\n" UNITS "service.d/y.conf" },
	{ "a drop-in for no type", "reserved-path", UNITS ".service\n" UNITS ".service.d/y.conf" },
	{ "a drop-in for a prefix", "reserved-path",
	  UNITS "a-x.service\n" UNITS "a-.service.d/y.conf" },
	{ "a drop-in for a prefix that is there", "reserved-path",
	  UNITS "a-.service\n" UNITS "a-.service.d/y.conf" },
	{ "a prefix", "reserved-path", UNITS "a-.service" },
	{ "a prefix as a template", "reserved-path", UNITS "a-@.service" },
	{ "a prefix as an alias", "reserved-path",
	  UNITS "x.service\n" UNITS "a-.service -> x.service" },
	{ "a drop-in for an alias", "reserved-path",
	  UNITS "x.service\n" UNITS "y.service -> x.service\n" UNITS "y.service.d/y.conf" },
	{ "another's alias", "reserved-path", UNITS "x.service -> dbus.service" },
	{ "another's alias by its path", "reserved-path",
	  UNITS "x.service -> /usr/lib/systemd/system/dbus.service" },
	{ "an alias of an alias", "reserved-path",
	  UNITS "x.service\n" UNITS "y.service -> x.service\n" UNITS "z.service -> y.service" },
	{ "an alias elsewhere", "reserved-path",
	  UNITS "x.service\n" UNITS "y.service -> ../system/x.service" },
	{ "a mask", "reserved-path", UNITS "x.service -> /dev/null" },
	{ "an alias of users' for a unit of the system's", "reserved-path",
	  UNITS "x.service\n" USER_UNITS "y.service -> x.service" },
	{ "an instance of another's template", "reserved-path", UNITS "getty@tty9.service" },
	{ "an instance of another's as an alias", "reserved-path",
	  UNITS "x@.service\n" UNITS "getty@tty9.service -> x@.service" },
	{ "an instance of an alias", "reserved-path",
	  UNITS "x@.service\n" UNITS "y@.service -> x@.service\n" UNITS "y@1.service" },
	{ "a drop-in for an instance of another's", "reserved-path",
	  UNITS "x@.service\n" UNITS "getty@tty9.service.d/y.conf" },
	{ "a start of another's", "reserved-path",
	  UNITS "multi-user.target.wants/debug-shell.service -> ../debug-shell.service" },
	{ "a start of another's instance", "reserved-path",
	  UNITS "getty.target.upholds/getty@tty9.service -> ../getty@.service" },
	{ "a drop-in under a name that /etc gives another", "reserved-path",
	  UNITS "bus.service\n" UNITS "bus.service.d/y.conf" },
	{ "a start under a name that /etc gives another", "reserved-path",
	  UNITS "bus.service\n" UNITS "a.target.wants/bus.service -> ../bus.service" },
	{ "a scope", "reserved-path", UNITS "init.scope" },
	{ "the slice of all services", "reserved-path", UNITS "system.slice" },
	{ "a drop-in for users' units", "reserved-path", USER_UNITS "dbus.service.d/y.conf" },
	{ "a mask for users", "reserved-path", USER_UNITS "x.service -> /dev/null" },
	{ "the directory of users' units as a link", "reserved-path",
	  "usr/lib/systemd/user -> /usr/share/b" },
	{ "units of users that are looked for first", "reserved-path",
	  "usr/share/systemd/user/dbus.service" },
};

static void test_brought(Fixture *f, gconstpointer data)
{
	(void)data;
	assert_brought(f, brought, G_N_ELEMENTS(brought));
}

/* The policy can let a key say something of another's unit. */
static void test_allowed(Fixture *f, gconstpointer data)
{
	VarveAllow *allow = f->policy->allows->pdata[0];
	g_autofree char *found = NULL;

	(void)data;
	g_strfreev(allow->reserved);
	allow->reserved = g_strsplit("/" UNITS "dbus.service.d/*", " ", -1);
	bring(add_layer(f, "app-1", "usr/bin/one"), UNITS "dbus.service.d/y.conf");
	bring(add_layer(f, "app-2", "usr/bin/two"), UNITS "logind.service.d/y.conf");
	found = decide(f);
	g_assert_cmpstr(found, ==, "- reserved-path");
}

int main(int argc, char **argv)
{
	g_autoptr(VarveCertificate) certificate = NULL;

	g_test_init(&argc, &argv, NULL);
	certificate = make_certificate();
	g_test_add("/units/brought", Fixture, certificate, setup, test_brought, teardown);
	g_test_add("/units/allowed", Fixture, certificate, setup, test_allowed, teardown);
	return g_test_run();
}
