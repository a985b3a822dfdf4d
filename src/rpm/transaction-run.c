/* The inner half of a transaction: librpm at work, with nothing around it but the root. */
#include "rpm/transaction-internal.h"

#include "base/error.h"
#include "ground/fd.h"
#include "rpm/confine.h"
#include "rpm/context.h"
#include "rpm/keys-internal.h"

#include <fcntl.h>
#include <nss.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmps.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define ROOT "/root"
#define PRIVATE "/" VARVE_CONFINE_PRIVATE
#define DATABASE_FILE "rpmdb.sqlite"
#define PROBLEMS_SHOWN 40

typedef struct {
	const VarveTransaction *transaction;
	VarveTransactionItem *items;
	gsize n_items;
	int report;
	int output;          /* memfd that takes what scriptlets write */
	int mount_points[2]; /* what lies below /proc and /dev, -1 where it is not ours */
	gboolean programs;
	GString *said;
	gsize said_before; /* what librpm said before the scriptlet that runs now */
	GError *failure;   /* the first */
} Run;

static const char *const mount_names[2] = { "proc", "dev" };

static const char *scriptlet_name(rpm_loff_t tag)
{
	switch (tag) {
	case RPMTAG_PRETRANS:
		return "%pretrans";
	case RPMTAG_PREIN:
		return "%pre";
	case RPMTAG_POSTIN:
		return "%post";
	case RPMTAG_POSTTRANS:
		return "%posttrans";
	case RPMTAG_PREUN:
		return "%preun";
	case RPMTAG_POSTUN:
		return "%postun";
	case RPMTAG_TRIGGERPREIN:
		return "%triggerprein";
	case RPMTAG_TRIGGERIN:
		return "%triggerin";
	case RPMTAG_FILETRIGGERSCRIPTS:
	case RPMTAG_FILETRIGGERIN:
		return "%filetriggerin";
	case RPMTAG_TRANSFILETRIGGERSCRIPTS:
	case RPMTAG_TRANSFILETRIGGERIN:
		return "%transfiletriggerin";
	default:
		return "scriptlet";
	}
}

/* The last lines of what the scriptlet wrote, one line of text. */
static char *last_output(const Run *run)
{
	char buffer[2049];
	off_t size = lseek(run->output, 0, SEEK_END);
	off_t from = MAX(size - (off_t)sizeof(buffer) + 1, 0);
	ssize_t n = varve_fd_read_full(run->output, buffer, sizeof(buffer) - 1, from);

	buffer[MAX(n, 0)] = '\0';
	g_strstrip(buffer);
	for (char *c = buffer; *c; c++)
		if (g_ascii_iscntrl(*c))
			*c = *c == '\n' ? '|' : ' ';
	return g_utf8_make_valid(buffer, -1);
}

static void scriptlet_failed(Run *run, rpm_loff_t tag, const char *nevra)
{
	g_autofree char *output = last_output(run);
	g_autofree char *said = g_strstrip(g_strdup(run->said->str + run->said_before));

	if (!run->failure)
		varve_fail(&run->failure, VARVE_ERROR_CONFLICT,
			   "package '%s': its %s scriptlet failed%s%s%s%s", nevra,
			   scriptlet_name(tag), *said ? ": " : "", said,
			   *output ? "; it wrote: " : "", output);
}

static void *on_event(const void *element, const rpmCallbackType what, const rpm_loff_t amount,
		      const rpm_loff_t total, fnpyKey key, rpmCallbackData data)
{
	Run *run = data;
	const VarveTransactionItem *item = key ? &run->items[GPOINTER_TO_SIZE(key) - 1] : NULL;
	const char *nevra = item ? item->nevra : "(installed)";
	guint64 bytes = 0;

	(void)element;
	(void)total;
	switch (what) {
	case RPMCALLBACK_INST_OPEN_FILE:
		if (lseek(item->fd, 0, SEEK_SET) < 0)
			return NULL;
		return fdDup(item->fd);
	case RPMCALLBACK_INST_STOP:
		bytes = item->size;
		varve_transaction_report(run->report, VARVE_REPORT_PROGRESS, &bytes, sizeof(bytes),
					 nevra, strlen(nevra));
		break;
	case RPMCALLBACK_SCRIPT_START:
		if (ftruncate(run->output, 0) == 0)
			lseek(run->output, 0, SEEK_SET);
		run->said_before = run->said->len;
		break;
	case RPMCALLBACK_SCRIPT_ERROR:
		scriptlet_failed(run, amount, nevra);
		break;
	case RPMCALLBACK_UNPACK_ERROR:
	case RPMCALLBACK_CPIO_ERROR:
		if (!run->failure)
			varve_fail(&run->failure, VARVE_ERROR_SYSTEM, "package '%s': unpacking: %s",
				   nevra, g_strstrip(run->said->str));
		break;
	default:
		break;
	}
	return NULL;
}

/* A duplicate of the fd is closed by librpm through FD_t, which on_event() cannot keep. */
static gboolean open_items(Run *run, GError **error)
{
	const char *const *paths = run->transaction->paths;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	run->n_items = g_strv_length((char **)paths);
	run->items = g_new0(VarveTransactionItem, run->n_items);
	for (gsize i = 0; i < run->n_items; i++) {
		run->items[i].fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		if (run->items[i].fd < 0)
			return varve_fail_errno(error, errno, "package %s", paths[i]);
	}
	return TRUE;
}

static rpmts make_set(Run *run)
{
	rpmKeyring keyring = rpmKeyringNew();
	rpmts ts;

	for (const VarvePackageKeys *const *keys = run->transaction->keys; *keys; keys++)
		varve_package_keys_add_to(*keys, keyring);
	ts = rpmtsCreate();
	rpmtsSetVSFlags(ts, RPMVSF_DEFAULT);
	rpmtsSetVfyFlags(ts, RPMVSF_DEFAULT);
	rpmtsSetVfyLevel(ts, RPMSIG_VERIFIABLE_TYPE);
	rpmtsSetKeyring(ts, keyring);
	rpmKeyringFree(keyring);
	rpmtsSetRootDir(ts, ROOT);
	rpmtsSetFlags(ts, RPMTRANS_FLAG_NOPLUGINS | RPMTRANS_FLAG_NOCONTEXTS |
				  (run->transaction->no_docs ? RPMTRANS_FLAG_NODOCS : 0));
	rpmtsSetNotifyStyle(ts, 1);
	rpmtsSetNotifyCallback(ts, on_event, run);
	return ts;
}

static gboolean has_programs(Header header)
{
	static const rpmTagVal tags[] = { RPMTAG_PRETRANS,
					  RPMTAG_PRETRANSPROG,
					  RPMTAG_PREIN,
					  RPMTAG_PREINPROG,
					  RPMTAG_POSTIN,
					  RPMTAG_POSTINPROG,
					  RPMTAG_POSTTRANS,
					  RPMTAG_POSTTRANSPROG,
					  RPMTAG_TRIGGERSCRIPTS,
					  RPMTAG_FILETRIGGERSCRIPTS,
					  RPMTAG_TRANSFILETRIGGERSCRIPTS };

	for (gsize i = 0; i < G_N_ELEMENTS(tags); i++)
		if (headerIsEntry(header, tags[i]))
			return TRUE;
	return FALSE;
}

/* rpmtsCheck() would judge every requirement, and those are the solver's; what is librpm's own to
 * answer is whether it can read the package. */
static gboolean check_features(const VarveTransactionItem *item, rpmds features, GError **error)
{
	rpmds needed = rpmdsInit(rpmdsNew(item->header, RPMTAG_REQUIRENAME, 0));
	gboolean fine = TRUE;

	while (fine && rpmdsNext(needed) >= 0)
		if ((rpmdsFlags(needed) & RPMSENSE_RPMLIB) && rpmdsSearch(features, needed) < 0)
			fine = varve_fail(
				error, VARVE_ERROR_UNSUPPORTED,
				"package '%s': needs %s, which the librpm of this machine lacks: "
				"build with a newer one",
				item->nevra, rpmdsN(needed));
	rpmdsFree(needed);
	return fine;
}

static gboolean add_item(Run *run, rpmts ts, gsize index, rpmds features, GError **error)
{
	VarveTransactionItem *item = &run->items[index];
	const char *path = run->transaction->paths[index];
	FD_t fd = fdDup(item->fd);

	g_string_truncate(run->said, 0);
	/* A header by an unknown key is let through: verifying the whole names it with its reason.
	 */
	rpmReadPackageFile(ts, fd, path, &item->header);
	Fclose(fd);
	if (!item->header)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: is not a whole RPM package%s%s",
				  path, *run->said->str ? ": " : "", g_strstrip(run->said->str));
	item->nevra = varve_rpm_header_nevra(item->header);
	item->size = headerGetNumber(item->header, headerIsEntry(item->header, RPMTAG_LONGSIZE)
							   ? RPMTAG_LONGSIZE
							   : RPMTAG_SIZE);
	run->programs |= has_programs(item->header);
	if (!check_features(item, features, error))
		return FALSE;
	if (rpmtsAddInstallElement(ts, item->header, GSIZE_TO_POINTER(index + 1), 0, NULL) != 0)
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "package '%s': cannot be installed: %s", item->nevra,
				  g_strstrip(run->said->str));
	return TRUE;
}

static gboolean add_items(Run *run, rpmts ts, GError **error)
{
	rpmVSFlags flags = RPMVSF_NOMD5 | RPMVSF_NOSHA1HEADER;
	rpmds features = NULL;
	gboolean fine = TRUE;

	rpmdsRpmlib(&features, NULL);
	for (gsize i = 0; fine && i < run->n_items; i++) {
		fine = add_item(run, ts, i, features, error);
		if (fine)
			flags &= varve_rpm_header_flags(run->items[i].header);
	}
	rpmtsSetVfyFlags(ts, flags);
	rpmdsFree(features);
	return fine;
}

/* The directories that something is mounted on must exist; those that did not are taken away. */
static gboolean make_mount_points(Run *run, GError **error)
{
	const VarveTransaction *transaction = run->transaction;
	varve_autofd root = open(transaction->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return varve_fail_errno(error, errno, "root %s", transaction->root);
	if (mkdirat(root, VARVE_CONFINE_PRIVATE, 0755) < 0 && errno != EEXIST)
		return varve_fail_errno(error, errno, "%s/" VARVE_CONFINE_PRIVATE,
					transaction->root);
	varve_transaction_report(run->report, VARVE_REPORT_REMOVE, VARVE_CONFINE_PRIVATE,
				 strlen(VARVE_CONFINE_PRIVATE), NULL, 0);
	for (int i = 0; i < 2; i++) {
		g_autofree char *below = NULL;

		run->mount_points[i] = -1;
		if (!run->programs)
			continue;
		if (transaction->lower) {
			below = g_build_filename(transaction->lower, mount_names[i], NULL);
			if (access(below, F_OK) == 0)
				continue;
		}
		if (mkdirat(root, mount_names[i], 0755) < 0 && errno != EEXIST)
			return varve_fail_errno(error, errno, "%s/%s", transaction->root,
						mount_names[i]);
		run->mount_points[i] = openat(root, mount_names[i],
					      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (run->mount_points[i] < 0)
			return varve_fail_errno(error, errno, "%s/%s", transaction->root,
						mount_names[i]);
	}
	return TRUE;
}

/* librpm set owner and mode of what was mounted there, not of what lies below. */
static gboolean settle_mount_points(const Run *run, GError **error)
{
	for (int i = 0; i < 2; i++) {
		const VarvePackageFile *owner = NULL;
		g_autoptr(GPtrArray) files = NULL;

		if (run->mount_points[i] < 0)
			continue;
		for (gsize j = 0; j < run->n_items && !owner; j++) {
			g_clear_pointer(&files, g_ptr_array_unref);
			files = varve_rpm_header_files(run->items[j].header, NULL);
			for (guint k = 0; k < files->len && !owner; k++) {
				const VarvePackageFile *file = g_ptr_array_index(files, k);

				if (strcmp(file->path, mount_names[i]) == 0 &&
				    S_ISDIR(file->mode) &&
				    !(file->flags & VARVE_PACKAGE_FILE_GHOST))
					owner = file;
			}
		}
		if (!owner)
			varve_transaction_report(run->report, VARVE_REPORT_REMOVE, mount_names[i],
						 strlen(mount_names[i]), NULL, 0);
		else if (fchmod(run->mount_points[i], owner->mode & 07777) < 0)
			return varve_fail_errno(error, errno, "/%s", mount_names[i]);
	}
	return TRUE;
}

static gboolean copy_fd(int from, int to, GError **error)
{
	g_autofree char *buffer = g_malloc(1 << 20);
	off_t offset = 0;
	ssize_t n;

	while ((n = varve_fd_read_full(from, buffer, 1 << 20, offset)) > 0) {
		if (varve_fd_write_full(to, buffer, (size_t)n) < 0)
			return varve_fail_errno(error, errno, "writing the RPM database");
		offset += n;
	}
	return n == 0 ? TRUE : varve_fail_errno(error, errno, "reading the RPM database");
}

static gboolean set_database(const Run *run, int base_database, GError **error)
{
	const VarveTransaction *transaction = run->transaction;
	g_autofree char *inside = transaction->database
					  ? g_build_filename("/", transaction->database, NULL)
					  : g_strdup(PRIVATE "/database");

	if (mkdir(ROOT PRIVATE "/temporary", 0755) < 0 || mkdir(ROOT PRIVATE "/database", 0755) < 0)
		return varve_fail_errno(error, errno, "the transaction's scratch directory");
	varve_rpm_set_macro("_dbpath", inside);
	varve_rpm_set_macro("_rpmlock_path", PRIVATE "/lock");
	varve_rpm_set_macro("_tmppath", PRIVATE "/temporary");
	if (base_database >= 0 && !transaction->database) {
		varve_autofd fd = open(ROOT PRIVATE "/database/" DATABASE_FILE,
				       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

		if (fd < 0)
			return varve_fail_errno(error, errno, "the base's RPM database");
		return copy_fd(base_database, fd, error);
	}
	return TRUE;
}

static void set_environment(const Run *run)
{
	g_autofree char *epoch = g_strdup_printf("%" G_GINT64_FORMAT, run->transaction->epoch);
	varve_autofd null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	clearenv();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("SOURCE_DATE_EPOCH", epoch, 1);
	/* Never a module of the target's libc inside this process. */
	__nss_configure_lookup("passwd", "files");
	__nss_configure_lookup("group", "files");
	/* Lua scriptlets print from within. */
	dup2(null, STDIN_FILENO);
	dup2(run->output, STDOUT_FILENO);
	dup2(run->output, STDERR_FILENO);
}

static VarveError problem_code(rpmProblem problem, const char *text)
{
	switch (rpmProblemGetType(problem)) {
	case RPMPROB_VERIFY:
		return strstr(text, "digest: BAD") ? VARVE_ERROR_CORRUPT : VARVE_ERROR_UNTRUSTED;
	case RPMPROB_DISKSPACE:
	case RPMPROB_DISKNODES:
		return VARVE_ERROR_SYSTEM;
	default:
		return VARVE_ERROR_CONFLICT;
	}
}

static char *problem_text(rpmProblem problem)
{
	const char *package = rpmProblemGetPkgNEVR(problem), *other = rpmProblemGetAltNEVR(problem);
	const char *text = rpmProblemGetStr(problem);
	char *own, *copy;

	switch (rpmProblemGetType(problem)) {
	case RPMPROB_NEW_FILE_CONFLICT:
	case RPMPROB_FILE_CONFLICT:
		return g_strdup_printf(
			"path %s is in package '%s' and, different, in package '%s'%s", text,
			package, other,
			rpmProblemGetType(problem) == RPMPROB_FILE_CONFLICT ? " of the base" : "");
	case RPMPROB_VERIFY:
		return g_strdup_printf("package '%s' is not what its signers signed: %s", package,
				       text ? text : "no signature");
	default:
		own = rpmProblemString(problem);
		copy = g_strdup(own);
		free(own);
		return copy;
	}
}

static gboolean check_problems(const Run *run, rpmts ts, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	rpmps problems = rpmtsProblems(ts);
	rpmpsi iterator = rpmpsInitIterator(problems);
	VarveError code = VARVE_ERROR_CONFLICT;
	guint count = 0;
	rpmProblem problem;

	while ((problem = rpmpsiNext(iterator))) {
		g_autofree char *line = NULL;

		line = problem_text(problem);
		if (count == 0)
			code = problem_code(problem, line);
		if (count++ < PROBLEMS_SHOWN)
			g_string_append_printf(text, "%s%s", text->len ? "\n" : "", line);
	}
	rpmpsFreeIterator(iterator);
	rpmpsFree(problems);
	if (!count)
		return TRUE;
	if (count > PROBLEMS_SHOWN)
		g_string_append_printf(text, "\n… and %u more", count - PROBLEMS_SHOWN);
	if (code == VARVE_ERROR_UNTRUSTED) {
		g_string_append(text, "\nkeys tried: ");
		for (const VarvePackageKeys *const *keys = run->transaction->keys; *keys; keys++)
			g_string_append_printf(text, "%s%s",
					       keys == run->transaction->keys ? "" : ", ",
					       varve_package_keys_describe(*keys));
	}
	return varve_fail(error, code, "%s", text->str);
}

static gboolean run_set(Run *run, rpmts ts, GError **error)
{
	FD_t output = fdDup(run->output);
	int result;

	rpmtsSetScriptFd(ts, output);
	rpmtsOrder(ts);
	rpmtsClean(ts);
	g_string_truncate(run->said, 0);
	result = rpmtsRun(ts, NULL, RPMPROB_FILTER_IGNOREARCH | RPMPROB_FILTER_IGNOREOS);
	rpmtsSetScriptFd(ts, NULL);
	Fclose(output);
	if (run->failure) {
		g_propagate_error(error, g_steal_pointer(&run->failure));
		return FALSE;
	}
	if (result > 0 && !check_problems(run, ts, error))
		return FALSE;
	if (result != 0)
		return varve_fail(error, VARVE_ERROR_SYSTEM,
				  "librpm cannot install the packages: %s",
				  g_strstrip(run->said->str));
	return TRUE;
}

/* The database is closed by now, and so in one file. */
static gboolean save_database(int directory, GError **error)
{
	varve_autofd from = open(ROOT PRIVATE "/database/" DATABASE_FILE, O_RDONLY | O_CLOEXEC);
	varve_autofd to = -1;

	if (from < 0)
		return varve_fail_errno(error, errno, "the RPM database");
	to = openat(directory, DATABASE_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (to < 0)
		return varve_fail_errno(error, errno, "a copy of the RPM database");
	return copy_fd(from, to, error);
}

/* librpm leaves SQLite's write-ahead log and its index behind, empty and not reproducible. */
static gboolean tidy_database(const char *inside, GError **error)
{
	g_autofree char *log = g_strconcat(ROOT "/", inside, "/" DATABASE_FILE "-wal", NULL);
	g_autofree char *index = g_strconcat(ROOT "/", inside, "/" DATABASE_FILE "-shm", NULL);
	struct stat st;

	if (lstat(log, &st) == 0 && st.st_size > 0)
		return varve_fail(error, VARVE_ERROR_SYSTEM,
				  "the RPM database in /%s was not closed properly", inside);
	unlink(log);
	unlink(index);
	return TRUE;
}

static int open_database(const char *directory, gboolean write)
{
	g_autofree char *path =
		write ? g_strdup(directory) : g_build_filename(directory, DATABASE_FILE, NULL);

	return open(path, write ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
}

gboolean varve_transaction_child(const VarveTransaction *transaction, int report, GError **error)
{
	Run run = { .transaction = transaction, .report = report, .said = g_string_new(NULL) };
	VarveConfine confine = { .root = transaction->root,
				 .lower = transaction->lower,
				 .work = transaction->work };
	varve_autofd base_database = -1, saved = -1, root = -1;
	gboolean fine;
	rpmts ts;

	varve_rpm_listen(run.said);
	if (transaction->read_database) {
		base_database = open_database(transaction->read_database, FALSE);
		if (base_database < 0)
			return varve_fail_errno(error, errno, "the base's RPM database in %s",
						transaction->read_database);
	}
	if (transaction->write_database) {
		saved = open_database(transaction->write_database, TRUE);
		if (saved < 0)
			return varve_fail_errno(error, errno, "%s", transaction->write_database);
	}
	run.output = memfd_create("scriptlets", MFD_CLOEXEC);
	run.programs = transaction->read_database != NULL;
	ts = make_set(&run);
	if (!open_items(&run, error) || !add_items(&run, ts, error) ||
	    !make_mount_points(&run, error))
		return FALSE;
	confine.programs = run.programs;
	set_environment(&run);
	if (!varve_confine_enter(&confine, error) || !set_database(&run, base_database, error) ||
	    !varve_confine_drop(error))
		return FALSE;
	root = open(ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return varve_fail_errno(error, errno, "the root");
	fine = run_set(&run, ts, error) &&
	       varve_transaction_own(transaction, root, run.items, run.n_items, error) &&
	       settle_mount_points(&run, error);
	rpmtsFree(ts);
	if (fine && transaction->database)
		fine = tidy_database(transaction->database, error);
	else if (fine && saved >= 0)
		fine = save_database(saved, error);
	return fine;
}
