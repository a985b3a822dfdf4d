/* librpm's process-wide state. */
#include "rpm/context.h"

#include <rpm/rpmcrypto.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmmacro.h>

/* librpm takes one callback for the process and tells it nothing of who caused the message, but it
 * calls it on the thread that did. */
static _Thread_local GString *listener;

static int on_log(rpmlogRec record, rpmlogCallbackData data)
{
	(void)data;
	if (listener && rpmlogRecPriority(record) <= RPMLOG_NOTICE)
		g_string_append(listener, rpmlogRecMessage(record));
	return 0; /* neither print nor exit */
}

void varve_rpm_init(void)
{
	static gsize done;

	if (!g_once_init_enter(&done))
		return;
	/* rpmReadConfigFiles() would bring in /etc/rpm and ~/.rpmmacros: what we need of it is
	 * little, and a build must not depend on the rest. */
	rpmInitCrypto();
	rpmlogSetCallback(on_log, NULL);
	/* INFO is what makes signature checks name each signature, and scriptlets keep their
	 * output. */
	rpmlogSetMask(RPMLOG_UPTO(RPMLOG_INFO));
	varve_rpm_set_macro("_db_backend", "sqlite");
	varve_rpm_set_macro("_dbpath", "/nonexistent");
	varve_rpm_set_macro("_pkgverify_level", "all");
	/* Undefined, it would be taken literally as the PATH of scriptlets. */
	varve_rpm_set_macro("_install_script_path", "/usr/sbin:/usr/bin:/sbin:/bin");
	g_once_init_leave(&done, 1);
}

void varve_rpm_listen(GString *into)
{
	listener = into;
}

void varve_rpm_set_macro(const char *name, const char *value)
{
	rpmPopMacro(NULL, name);
	rpmPushMacro(NULL, name, NULL, value, RMIL_GLOBAL);
}
