/* Counting boots. */
#include "stack/tries.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>
#include <unistd.h>

#define COUNT_MAX 1000000

static char *file_name(const VarveDigest *base)
{
	g_autofree char *hex = varve_digest_dup_hex(base);

	return g_strconcat(hex, ".tries", NULL);
}

/* Of "NUMBER:COUNT". FALSE: nothing is known. */
static gboolean load(int dirfd, const VarveDigest *base, guint *ret_number, guint *ret_count)
{
	g_autofree char *name = file_name(base);
	char target[32], *end;
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);
	guint64 number, count;

	if (n <= 0)
		return FALSE;
	target[n] = '\0';
	number = g_ascii_strtoull(target, &end, 10);
	if (*end != ':' || !g_ascii_string_to_unsigned(end + 1, 10, 0, COUNT_MAX, &count, NULL) ||
	    number < 1 || number > G_MAXINT)
		return FALSE;
	*ret_number = (guint)number;
	*ret_count = (guint)count;
	return TRUE;
}

/* How often generation @number was booted, as far as it is known. */
static guint count_of(int dirfd, const VarveDigest *base, guint number)
{
	guint of, count;

	return load(dirfd, base, &of, &count) && of == number ? count : 0;
}

/* A link: a partition that a stack has filled up is no reason to boot it for ever. */
static gboolean save(int dirfd, const VarveDigest *base, guint number, guint count, GError **error)
{
	g_autofree char *name = file_name(base);
	g_autofree char *target = g_strdup_printf("%u:%u", number, MIN(count, COUNT_MAX));

	return varve_file_link(dirfd, name, target, error);
}

gboolean varve_tries_first(int dirfd, const VarveDigest *base, guint number, GError **error)
{
	return save(dirfd, base, number, 1, error);
}

gboolean varve_tries_end(int dirfd, const VarveDigest *base, guint number, GError **error)
{
	g_autofree char *name = file_name(base);
	guint of, count;

	if (load(dirfd, base, &of, &count) && of != number)
		return TRUE;
	if (unlinkat(dirfd, name, 0) == 0)
		return fsync(dirfd) == 0 || varve_fail_errno(error, errno, "%s", name);
	return errno == ENOENT || varve_fail_errno(error, errno, "%s cannot be removed", name);
}

gboolean varve_tries_gave_up(const VarveGeneration *generation)
{
	return *generation->outcome && strcmp(generation->reason, VARVE_TRIES_REASON) == 0;
}

/* Killed in between, the next boot comes to the same, because what failed is not booted. The other
 * way round it would look like a swap that was interrupted, and its files would go. What it failed
 * for before stays the reason. */
static gboolean turn_to(int dirfd, VarveGeneration *good, const VarveGeneration *failed,
			GError **error)
{
	return varve_generation_rewrite(dirfd, good, error) &&
	       (*failed->outcome ||
		varve_generation_fail(dirfd, failed->number, VARVE_TRIES_REASON, error)) &&
	       varve_generation_link(dirfd, good, "current", error);
}

gboolean varve_tries_next(int dirfd, const VarveDigest *base, gboolean writes,
			  VarveGeneration **current, VarveTry *ret_next, guint *ret_failed,
			  guint *ret_count, GError **error)
{
	g_autoptr(VarveGeneration) good = NULL, failed = NULL;
	guint count = *current ? count_of(dirfd, base, (*current)->number) : 0;

	*ret_next = VARVE_TRY_CURRENT;
	*ret_failed = 0;
	*ret_count = count + 1;
	if (!*current)
		return TRUE;
	if (count < VARVE_TRIES_MAX && !*(*current)->outcome)
		return !writes || save(dirfd, base, (*current)->number, count + 1, error);
	*ret_failed = (*current)->number;
	good = varve_generation_linked(dirfd, "good", base, NULL);
	if (!good || good->number == (*current)->number || *good->outcome) {
		*ret_next = VARVE_TRY_NOTHING;
		return TRUE;
	}
	/* What the layers directory got since may be what did not come up, also where other
	 * generations had it that nobody booted. */
	good->selection = VARVE_SELECTION_LISTED;
	*ret_next = VARVE_TRY_GOOD;
	*ret_count = 1;
	failed = g_steal_pointer(current);
	*current = g_steal_pointer(&good);
	return !writes || (turn_to(dirfd, *current, failed, error) &&
			   save(dirfd, base, (*current)->number, 1, error));
}
