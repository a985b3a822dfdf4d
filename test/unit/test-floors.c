/* stack/floors.c: which record is believed, and that an update which is killed at any system call
 * leaves the old one or the new one, and never an alarm. The anchor is memory that outlives the
 * process: the TPM's own is what test/host/test-tpm and test/vm/floors have. */
#include "stack/floors.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"
#include "stack/compliance.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

typedef enum {
	WRITES_WELL,
	FAILS_BEFORE, /* says that it failed, and has */
	FAILS_AFTER,  /* says that it failed, and has not */
} Behaviour;

typedef struct {
	VarveAnchor anchor;
	VarveAnchorState state;
	VarveAnchored anchored;
	Behaviour behaviour;
	guint writes;
	int dirfd; /* to look whether what is anchored is on the disk */
} Memory;

typedef struct {
	char *dir;
	int fd;
	Memory *memory; /* shared with children */
} Fixture;

static VarveAnchorState read_memory(VarveAnchor *anchor, VarveAnchored *ret, GError **error)
{
	const Memory *memory = (Memory *)anchor;

	if (memory->state == VARVE_ANCHOR_SET)
		*ret = memory->anchored;
	else if (memory->state == VARVE_ANCHOR_NONE)
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "no TPM");
	else if (memory->state == VARVE_ANCHOR_SILENT)
		varve_fail(error, VARVE_ERROR_SYSTEM, "it is on fire");
	return memory->state;
}

static gboolean write_memory(VarveAnchor *anchor, const VarveAnchored *anchored, GError **error)
{
	Memory *memory = (Memory *)anchor;
	g_autofree char *text = NULL;
	VarveDigest digest;
	gsize size;

	/* The record to be believed is there before the anchor moves to it. */
	g_assert_true(varve_file_read(memory->dirfd, VARVE_FLOORS_NEXT, 65536, &text, &size, NULL));
	varve_sha256(text, size, &digest);
	g_assert_true(varve_digest_equal(&digest, &anchored->digest));
	if (memory->behaviour == FAILS_BEFORE)
		return varve_fail(error, VARVE_ERROR_SYSTEM, "owner's password");
	memory->writes++;
	memory->anchored = *anchored;
	memory->state = VARVE_ANCHOR_SET;
	return memory->behaviour != FAILS_AFTER ||
	       varve_fail(error, VARVE_ERROR_SYSTEM, "the line broke");
}

static void setup(Fixture *f, gconstpointer data)
{
	(void)data;
	f->dir = g_dir_make_tmp("varve-floors-XXXXXX", NULL);
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(f->fd, >=, 0);
	f->memory = mmap(NULL, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	g_assert_true(f->memory != MAP_FAILED);
	f->memory->anchor = (VarveAnchor){ .read = read_memory, .write = write_memory };
	f->memory->dirfd = f->fd;
}

static void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	munmap(f->memory, sizeof(Memory));
	close(f->fd);
	varve_dir_remove(AT_FDCWD, f->dir, NULL);
	g_free(f->dir);
}

static VarveFloors *look(const Fixture *f)
{
	return varve_floors_open(f->fd, &f->memory->anchor);
}

static VarveRecord *ssh(guint64 index)
{
	VarveRecord *record = varve_record_new();

	varve_record_floor(record, "ssh", index);
	return record;
}

static guint64 ssh_floor(const VarveFloors *floors)
{
	const guint64 *floor = g_hash_table_lookup(varve_floors_record(floors)->floors, "ssh");

	return floor ? *floor : 0;
}

static void raise_to(const Fixture *f, guint64 index, gboolean expected)
{
	g_autoptr(VarveFloors) floors = look(f);
	g_autoptr(VarveRecord) by = ssh(index);
	g_autoptr(GError) error = NULL;
	g_autofree char *note = NULL;
	gboolean changed = FALSE;

	varve_floors_raise(floors, by, &changed, &note, &error);
	g_assert_no_error(error);
	g_assert_null(note);
	g_assert_cmpint(changed, ==, expected);
	g_assert_cmpuint(ssh_floor(floors), >=, index);
}

static void assert_is(const Fixture *f, VarveFloorsVerdict verdict, guint64 floor)
{
	g_autoptr(VarveFloors) floors = look(f);

	g_assert_cmpint(varve_floors_verdict(floors), ==, verdict);
	g_assert_cmpuint(ssh_floor(floors), ==, floor);
}

static char *copy_of(const Fixture *f, const char *name)
{
	char *text = NULL;

	varve_file_read(f->fd, name, 65536, &text, NULL, NULL);
	return text;
}

static void put(const Fixture *f, const char *name, const char *text)
{
	if (text)
		g_assert_true(varve_file_write(f->fd, name, text, strlen(text), 0644, NULL));
	else
		unlinkat(f->fd, name, 0);
}

static void test_with_anchor(Fixture *f, gconstpointer data)
{
	(void)data;
	f->memory->state = VARVE_ANCHOR_EMPTY;
	assert_is(f, VARVE_FLOORS_NEW, 0);
	raise_to(f, 3, TRUE);
	assert_is(f, VARVE_FLOORS_ANCHORED, 3);
	/* Nothing new writes nothing. */
	raise_to(f, 3, FALSE);
	raise_to(f, 2, FALSE);
	g_assert_cmpuint(f->memory->writes, ==, 1);
	raise_to(f, 5, TRUE);
	assert_is(f, VARVE_FLOORS_ANCHORED, 5);
	g_assert_cmpuint(f->memory->writes, ==, 2);
	g_assert_cmpint(f->memory->anchored.number, ==, 2);
	g_assert_cmpint(faccessat(f->fd, VARVE_FLOORS_NEXT, F_OK, 0), ==, -1);
}

static void test_without_anchor(Fixture *f, gconstpointer data)
{
	(void)data;
	f->memory->state = VARVE_ANCHOR_NONE;
	assert_is(f, VARVE_FLOORS_NEW, 0);
	raise_to(f, 3, TRUE);
	raise_to(f, 3, FALSE);
	assert_is(f, VARVE_FLOORS_RECORD, 3);
	/* A TPM that was turned on later gets the record as it is. */
	f->memory->state = VARVE_ANCHOR_EMPTY;
	assert_is(f, VARVE_FLOORS_RECORD, 3);
	raise_to(f, 3, TRUE);
	assert_is(f, VARVE_FLOORS_ANCHORED, 3);
}

/* Every combination of record and anchor has its own verdict; what can be read always holds. */
static void test_verdicts(Fixture *f, gconstpointer data)
{
	g_autofree char *first = NULL, *second = NULL, *unanchored = NULL;
	VarveAnchored one, two;

	(void)data;
	f->memory->state = VARVE_ANCHOR_NONE;
	raise_to(f, 2, TRUE);
	unanchored = copy_of(f, VARVE_FLOORS_FILE);
	f->memory->state = VARVE_ANCHOR_EMPTY;
	raise_to(f, 3, TRUE);
	first = copy_of(f, VARVE_FLOORS_FILE);
	one = f->memory->anchored;
	raise_to(f, 5, TRUE);
	second = copy_of(f, VARVE_FLOORS_FILE);
	two = f->memory->anchored;

#define CASE(anchor, what, now, later, expected, floor) \
	do { \
		f->memory->state = anchor; \
		f->memory->anchored = what; \
		put(f, VARVE_FLOORS_FILE, now); \
		put(f, VARVE_FLOORS_NEXT, later); \
		assert_is(f, expected, floor); \
	} while (0)
	/* Killed before and after the anchor moved, and before the rename. */
	CASE(VARVE_ANCHOR_SET, one, first, second, VARVE_FLOORS_ANCHORED, 3);
	CASE(VARVE_ANCHOR_SET, two, first, second, VARVE_FLOORS_ANCHORED, 5);
	CASE(VARVE_ANCHOR_SET, two, second, NULL, VARVE_FLOORS_ANCHORED, 5);
	/* The same with what somebody else has put there. */
	CASE(VARVE_ANCHOR_SET, two, second, "{}", VARVE_FLOORS_ANCHORED, 5);
	CASE(VARVE_ANCHOR_SET, two, "{}", second, VARVE_FLOORS_ANCHORED, 5);
	CASE(VARVE_ANCHOR_SET, two, NULL, second, VARVE_FLOORS_ANCHORED, 5);
	CASE(VARVE_ANCHOR_SET, two, first, NULL, VARVE_FLOORS_OLDER, 3);
	CASE(VARVE_ANCHOR_SET, two, unanchored, NULL, VARVE_FLOORS_OLDER, 2);
	CASE(VARVE_ANCHOR_SET, two, unanchored, first, VARVE_FLOORS_OLDER, 3);
	CASE(VARVE_ANCHOR_SET, one, second, NULL, VARVE_FLOORS_ALTERED, 5);
	CASE(VARVE_ANCHOR_SET, two, NULL, NULL, VARVE_FLOORS_LOST, 0);
	CASE(VARVE_ANCHOR_SET, two, NULL, first, VARVE_FLOORS_LOST, 3);
	CASE(VARVE_ANCHOR_SET, two, "{}", NULL, VARVE_FLOORS_UNREADABLE, 0);
	CASE(VARVE_ANCHOR_SET, two, "{}", first, VARVE_FLOORS_UNREADABLE, 3);
	CASE(VARVE_ANCHOR_EMPTY, two, NULL, NULL, VARVE_FLOORS_NEW, 0);
	/* The first anchor was never made: what is on its way says nothing. */
	CASE(VARVE_ANCHOR_EMPTY, two, NULL, first, VARVE_FLOORS_NEW, 0);
	CASE(VARVE_ANCHOR_EMPTY, two, unanchored, first, VARVE_FLOORS_RECORD, 2);
	CASE(VARVE_ANCHOR_EMPTY, two, second, NULL, VARVE_FLOORS_TPM_CLEARED, 5);
	CASE(VARVE_ANCHOR_EMPTY, two, "{}", NULL, VARVE_FLOORS_UNREADABLE, 0);
	CASE(VARVE_ANCHOR_NONE, two, NULL, NULL, VARVE_FLOORS_NEW, 0);
	CASE(VARVE_ANCHOR_NONE, two, unanchored, NULL, VARVE_FLOORS_RECORD, 2);
	CASE(VARVE_ANCHOR_NONE, two, second, NULL, VARVE_FLOORS_TPM_GONE, 5);
	CASE(VARVE_ANCHOR_SILENT, two, NULL, NULL, VARVE_FLOORS_NEW, 0);
	CASE(VARVE_ANCHOR_SILENT, two, unanchored, NULL, VARVE_FLOORS_RECORD, 2);
	CASE(VARVE_ANCHOR_SILENT, two, second, NULL, VARVE_FLOORS_TPM_SILENT, 5);
#undef CASE
}

static void test_links_are_not_followed(Fixture *f, gconstpointer data)
{
	(void)data;
	f->memory->state = VARVE_ANCHOR_NONE;
	raise_to(f, 3, TRUE);
	g_assert_cmpint(renameat(f->fd, VARVE_FLOORS_FILE, f->fd, "elsewhere"), ==, 0);
	g_assert_cmpint(symlinkat("elsewhere", f->fd, VARVE_FLOORS_FILE), ==, 0);
	assert_is(f, VARVE_FLOORS_UNREADABLE, 0);
}

static void test_alarm_stops_raising(Fixture *f, gconstpointer data)
{
	g_autofree char *old = NULL;
	g_autoptr(VarveFloors) floors = NULL;
	g_autoptr(VarveRecord) by = ssh(9);
	g_autoptr(GError) error = NULL;
	gboolean changed = FALSE;
	char *note = NULL;

	(void)data;
	f->memory->state = VARVE_ANCHOR_EMPTY;
	raise_to(f, 3, TRUE);
	old = copy_of(f, VARVE_FLOORS_FILE);
	raise_to(f, 5, TRUE);
	put(f, VARVE_FLOORS_FILE, old);
	floors = look(f);
	g_assert_false(varve_floors_raise(floors, by, &changed, &note, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_REFUSED);
	/* Else the older record would be the anchored one by now. */
	g_assert_cmpuint(f->memory->writes, ==, 2);
	assert_is(f, VARVE_FLOORS_OLDER, 3);
}

static void accept_it(const Fixture *f, guint64 index, gboolean forget)
{
	g_autoptr(VarveFloors) floors = look(f);
	g_autoptr(VarveRecord) by = ssh(index);
	g_autoptr(GError) error = NULL;

	varve_floors_accept(floors, by, forget, "user root", &error);
	g_assert_no_error(error);
}

static void test_accept(Fixture *f, gconstpointer data)
{
	g_autofree char *old = NULL;
	g_autoptr(VarveFloors) floors = NULL;
	const VarveAcceptance *acceptance;

	(void)data;
	f->memory->state = VARVE_ANCHOR_EMPTY;
	raise_to(f, 3, TRUE);
	old = copy_of(f, VARVE_FLOORS_FILE);
	raise_to(f, 5, TRUE);
	put(f, VARVE_FLOORS_FILE, old);
	accept_it(f, 4, FALSE);
	assert_is(f, VARVE_FLOORS_ANCHORED, 4);
	/* Above all that was ever anchored: what is older stays older. */
	g_assert_cmpint(f->memory->anchored.number, ==, 3);
	floors = look(f);
	g_assert_cmpuint(varve_floors_record(floors)->accepted->len, ==, 1);
	acceptance = varve_floors_record(floors)->accepted->pdata[0];
	g_assert_cmpstr(acceptance->by, ==, "user root");
	g_assert_cmpstr(acceptance->why, ==, "record-older");

	/* A blank partition, a cleared TPM, one that is gone. */
	put(f, VARVE_FLOORS_FILE, NULL);
	accept_it(f, 2, FALSE);
	assert_is(f, VARVE_FLOORS_ANCHORED, 2);
	g_assert_cmpint(f->memory->anchored.number, ==, 4);
	f->memory->state = VARVE_ANCHOR_EMPTY;
	accept_it(f, 1, FALSE);
	assert_is(f, VARVE_FLOORS_ANCHORED, 2);
	f->memory->state = VARVE_ANCHOR_NONE;
	accept_it(f, 1, FALSE);
	assert_is(f, VARVE_FLOORS_RECORD, 2);
	/* With the TPM back, its anchor is of another record. */
	f->memory->state = VARVE_ANCHOR_SET;
	assert_is(f, VARVE_FLOORS_ALTERED, 2);
	put(f, VARVE_FLOORS_FILE, "damaged");
	accept_it(f, 1, FALSE);
	assert_is(f, VARVE_FLOORS_ANCHORED, 1);
	/* The only way down. */
	raise_to(f, 8, TRUE);
	accept_it(f, 6, TRUE);
	assert_is(f, VARVE_FLOORS_ANCHORED, 6);
}

static void test_accept_needs_an_answer(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveFloors) floors = NULL;
	g_autoptr(VarveRecord) by = ssh(1);
	g_autoptr(GError) error = NULL;

	(void)data;
	f->memory->state = VARVE_ANCHOR_EMPTY;
	raise_to(f, 3, TRUE);
	f->memory->state = VARVE_ANCHOR_SILENT;
	floors = look(f);
	g_assert_false(varve_floors_accept(floors, by, FALSE, "user root", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_REFUSED);
}

static void test_volatile(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveFloors) floors = varve_floors_open(-1, &f->memory->anchor);
	g_autoptr(VarveFloors) known = NULL;
	g_autoptr(VarveRecord) by = ssh(1);
	g_autoptr(GError) error = NULL;
	gboolean changed;
	char *note;

	(void)data;
	g_assert_cmpint(varve_floors_verdict(floors), ==, VARVE_FLOORS_VOLATILE);
	g_assert_false(varve_floors_raise(floors, by, &changed, &note, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	/* A partition that cannot be used hides a record. */
	f->memory->state = VARVE_ANCHOR_SET;
	known = varve_floors_open(-1, &f->memory->anchor);
	g_assert_cmpint(varve_floors_verdict(known), ==, VARVE_FLOORS_LOST);
}

/* A TPM that takes no first anchor is told of, and the record kept; one that took it and could not
 * say so is believed. */
static void test_failing_anchor(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveFloors) floors = NULL;
	g_autoptr(VarveRecord) by = ssh(3), more = ssh(6);
	g_autoptr(GError) error = NULL;
	g_autofree char *note = NULL;
	gboolean changed = FALSE;

	(void)data;
	f->memory->state = VARVE_ANCHOR_EMPTY;
	f->memory->behaviour = FAILS_BEFORE;
	floors = look(f);
	varve_floors_raise(floors, by, &changed, &note, &error);
	g_assert_no_error(error);
	g_assert_true(changed);
	g_assert_nonnull(strstr(note, "owner's password"));
	assert_is(f, VARVE_FLOORS_RECORD, 3);
	f->memory->behaviour = FAILS_AFTER;
	g_clear_pointer(&note, g_free);
	g_assert_false(varve_floors_raise(floors, more, &changed, &note, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	assert_is(f, VARVE_FLOORS_ANCHORED, 6);
	g_clear_error(&error);
	/* One that is there already stays where it was. */
	f->memory->behaviour = FAILS_BEFORE;
	g_clear_pointer(&floors, varve_floors_free);
	floors = look(f);
	varve_record_floor(more, "ssh", 7);
	g_assert_false(varve_floors_raise(floors, more, &changed, &note, &error));
	assert_is(f, VARVE_FLOORS_ANCHORED, 6);
	f->memory->behaviour = WRITES_WELL;
	raise_to(f, 7, TRUE);
	assert_is(f, VARVE_FLOORS_ANCHORED, 7);
}

/* Runs @change in a child that is killed at its system call number @calls; FALSE where it ended
 * before. */
static gboolean killed_at(Fixture *f, void (*change)(const Fixture *f), guint calls)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		change(f);
		_exit(0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	for (guint i = 0; i < calls; i++) {
		g_assert_cmpint(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), ==, 0);
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		if (WIFEXITED(status)) {
			g_assert_cmpint(WEXITSTATUS(status), ==, 0);
			return FALSE;
		}
		g_assert_true(WIFSTOPPED(status));
	}
	kill(pid, SIGKILL);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFSIGNALED(status));
	return TRUE;
}

static void raise_to_nine(const Fixture *f)
{
	raise_to(f, 9, TRUE);
}

static void accept_nine(const Fixture *f)
{
	accept_it(f, 9, FALSE);
}

/* A state to begin in. */
static void begin_new(const Fixture *f)
{
	f->memory->state = VARVE_ANCHOR_EMPTY;
}

static void begin_anchored(const Fixture *f)
{
	f->memory->state = VARVE_ANCHOR_EMPTY;
	raise_to(f, 3, TRUE);
}

/* The power went between the anchor and the rename. */
static void begin_unsettled(const Fixture *f)
{
	g_autofree char *old = NULL, *new = NULL;

	begin_anchored(f);
	old = copy_of(f, VARVE_FLOORS_FILE);
	raise_to(f, 5, TRUE);
	new = copy_of(f, VARVE_FLOORS_FILE);
	put(f, VARVE_FLOORS_FILE, old);
	put(f, VARVE_FLOORS_NEXT, new);
}

static void begin_alone(const Fixture *f)
{
	f->memory->state = VARVE_ANCHOR_NONE;
	raise_to(f, 3, TRUE);
}

static void begin_turned_on(const Fixture *f)
{
	begin_alone(f);
	f->memory->state = VARVE_ANCHOR_EMPTY;
}

static void begin_older(const Fixture *f)
{
	g_autofree char *old = NULL;

	begin_anchored(f);
	old = copy_of(f, VARVE_FLOORS_FILE);
	raise_to(f, 5, TRUE);
	put(f, VARVE_FLOORS_FILE, old);
}

static void begin_gone(const Fixture *f)
{
	begin_anchored(f);
	f->memory->state = VARVE_ANCHOR_NONE;
}

static const struct {
	const char *name;
	void (*begin)(const Fixture *f);
	void (*change)(const Fixture *f);
	guint64 floor;                    /* at the beginning */
	VarveFloorsVerdict before, after; /* no other may be seen */
} prefixes[] = {
	{ "first", begin_new, raise_to_nine, 0, VARVE_FLOORS_NEW, VARVE_FLOORS_ANCHORED },
	{ "next", begin_anchored, raise_to_nine, 3, VARVE_FLOORS_ANCHORED, VARVE_FLOORS_ANCHORED },
	{ "unsettled", begin_unsettled, raise_to_nine, 5, VARVE_FLOORS_ANCHORED,
	  VARVE_FLOORS_ANCHORED },
	{ "alone", begin_alone, raise_to_nine, 3, VARVE_FLOORS_RECORD, VARVE_FLOORS_RECORD },
	{ "turned-on", begin_turned_on, raise_to_nine, 3, VARVE_FLOORS_RECORD,
	  VARVE_FLOORS_ANCHORED },
	{ "accept-older", begin_older, accept_nine, 3, VARVE_FLOORS_OLDER, VARVE_FLOORS_ANCHORED },
	{ "accept-gone", begin_gone, accept_nine, 3, VARVE_FLOORS_TPM_GONE, VARVE_FLOORS_RECORD },
};

/* Whether the change is there already. */
static gboolean is_changed(const Fixture *f, gsize n)
{
	g_autoptr(VarveFloors) floors = look(f);
	VarveFloorsVerdict verdict = varve_floors_verdict(floors);
	guint64 floor = ssh_floor(floors);
	gboolean after = verdict == prefixes[n].after && floor == 9;
	/* An alarm that was true stays; what it reads may know the new record already. */
	gboolean before = verdict == prefixes[n].before &&
			  (floor == prefixes[n].floor || varve_floors_alarming(floors));

	if (!before && !after)
		g_error("'%s': %s with floor %" G_GUINT64_FORMAT, prefixes[n].name,
			varve_floors_code(floors), floor);
	return after;
}

static void empty(const Fixture *f)
{
	g_auto(GStrv) names = NULL;

	g_assert_true(varve_dir_list(f->fd, ".", &names, NULL));
	for (char **name = names; *name; name++)
		unlinkat(f->fd, *name, 0);
	f->memory->state = VARVE_ANCHOR_NONE;
}

static void test_prefixes(Fixture *f, gconstpointer data)
{
	gsize n = GPOINTER_TO_SIZE(data);
	guint calls, before = 0, after = 0;
	gboolean killed = TRUE;

	for (calls = 1; killed; calls++) {
		gboolean changed;

		empty(f);
		prefixes[n].begin(f);
		killed = killed_at(f, prefixes[n].change, calls);
		changed = is_changed(f, n);
		g_assert_true(killed || changed);
		before += !changed;
		after += changed;
		/* Whatever came of it, going on ends well. */
		if (changed)
			raise_to(f, 10, TRUE);
		else
			prefixes[n].change(f);
		assert_is(f, prefixes[n].after, changed ? 10 : 9);
	}
	g_test_message("%u system calls, %u times as before, %u times as after", calls, before,
		       after);
	g_assert_cmpuint(before, >, 10);
	g_assert_cmpuint(after, >, 1);
}

/* Each alarm has a sentence and a next step of its own, and goes when it is over. */
static void test_describe(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveReport) report = varve_report_new();
	g_autoptr(VarveFloors) floors = NULL;
	const VarveComplaint *complaint;

	(void)data;
	f->memory->state = VARVE_ANCHOR_NONE;
	raise_to(f, 3, TRUE);
	floors = look(f);
	varve_floors_describe(floors, report);
	g_assert_cmpstr(report->protection, ==,
			"base's floors and the record on the state partition (no TPM: whoever can "
			"write the disk can put an older record back)");
	g_assert_cmpuint(report->complaints->len, ==, 0);
	g_clear_pointer(&floors, varve_floors_free);
	empty(f);
	begin_older(f);
	floors = look(f);
	varve_floors_describe(floors, report);
	varve_floors_describe(floors, report);
	g_assert_cmpuint(report->complaints->len, ==, 1);
	complaint = report->complaints->pdata[0];
	g_assert_cmpstr(complaint->code, ==, "record-older");
	g_assert_nonnull(strstr(complaint->sentence, "number 1, and the TPM knows number 2"));
	g_assert_nonnull(strstr(complaint->next, "varvectl floors --accept"));
	g_clear_pointer(&floors, varve_floors_free);
	accept_it(f, 3, FALSE);
	floors = look(f);
	varve_floors_describe(floors, report);
	g_assert_cmpuint(report->complaints->len, ==, 0);
	g_assert_nonnull(strstr(report->protection, "number 3, anchored in the TPM"));
}

int main(int argc, char **argv)
{
#define ADD(name, function) g_test_add("/floors/" name, Fixture, NULL, setup, function, teardown)
	g_test_init(&argc, &argv, NULL);
	ADD("with-anchor", test_with_anchor);
	ADD("without-anchor", test_without_anchor);
	ADD("verdicts", test_verdicts);
	ADD("links-are-not-followed", test_links_are_not_followed);
	ADD("alarm-stops-raising", test_alarm_stops_raising);
	ADD("accept", test_accept);
	ADD("accept-needs-an-answer", test_accept_needs_an_answer);
	ADD("volatile", test_volatile);
	ADD("failing-anchor", test_failing_anchor);
	ADD("describe", test_describe);
	for (gsize n = 0; n < G_N_ELEMENTS(prefixes); n++) {
		g_autofree char *name =
			g_strconcat("/floors/killed-anywhere/", prefixes[n].name, NULL);

		g_test_add(name, Fixture, GSIZE_TO_POINTER(n), setup, test_prefixes, teardown);
	}
	return g_test_run();
}
