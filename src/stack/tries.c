/* Counting boots. */
#include "stack/tries.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

#include <string.h>

#define TRIES_LIMIT 4096
#define COUNT_MAX 1000000

static char *file_name(const VarveDigest *base)
{
	g_autofree char *hex = varve_digest_dup_hex(base);

	return g_strconcat(hex, ".tries", NULL);
}

/* How often generation @number was booted, as far as it is known. */
static guint load(int dirfd, const VarveDigest *base, guint number)
{
	g_autofree char *name = file_name(base), *text = NULL;
	g_autoptr(json_t) json = NULL;
	gint64 of, count;
	size_t size;

	if (!varve_file_read(dirfd, name, TRIES_LIMIT, &text, &size, NULL))
		return 0;
	json = varve_json_parse(text, size, name, NULL);
	if (!json || !varve_json_get_int(json, "generation", name, 1, G_MAXINT, &of, NULL) ||
	    !varve_json_get_int(json, "count", name, 0, COUNT_MAX, &count, NULL))
		return 0;
	return (guint64)of == number ? (guint)count : 0;
}

static gboolean save(int dirfd, const VarveDigest *base, guint number, guint count, GError **error)
{
	g_autofree char *name = file_name(base);
	g_autoptr(json_t) json =
		json_pack("{s:i,s:i}", "generation", (int)number, "count", (int)count);
	g_autofree char *text = varve_json_dump(json, FALSE);

	return varve_file_write(dirfd, name, text, strlen(text), 0644, error);
}

gboolean varve_tries_first(int dirfd, const VarveDigest *base, guint number, GError **error)
{
	return save(dirfd, base, number, 1, error);
}

gboolean varve_tries_end(int dirfd, const VarveDigest *base, GError **error)
{
	g_autofree char *name = file_name(base);

	if (unlinkat(dirfd, name, 0) == 0)
		return fsync(dirfd) == 0 || varve_fail_errno(error, errno, "%s", name);
	return errno == ENOENT || varve_fail_errno(error, errno, "%s cannot be removed", name);
}

/* Killed anywhere in between, the next boot comes to the same: the failed one is marked last. */
static gboolean turn_to(int dirfd, VarveGeneration *good, guint failed, GError **error)
{
	g_autofree char *reason =
		g_strdup_printf("it did not come up in %d boots", VARVE_TRIES_MAX);

	return varve_generation_fail(dirfd, failed, reason, error) &&
	       varve_generation_rewrite(dirfd, good, error) &&
	       varve_generation_link(dirfd, good, "current", error);
}

gboolean varve_tries_next(int dirfd, const VarveDigest *base, gboolean writes,
			  VarveGeneration **current, VarveTry *ret_next, guint *ret_failed,
			  guint *ret_count, GError **error)
{
	g_autoptr(VarveGeneration) good = NULL;
	guint count = *current ? load(dirfd, base, (*current)->number) : 0;

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
	/* Exactly what was good: the layers directory may have what came with generations in
	 * between, which nobody knows to be good. */
	good->selection = VARVE_SELECTION_LISTED;
	if (writes && !turn_to(dirfd, good, (*current)->number, error))
		return FALSE;
	*ret_next = VARVE_TRY_GOOD;
	*ret_count = 1;
	varve_generation_free(*current);
	*current = g_steal_pointer(&good);
	return !writes || save(dirfd, base, (*current)->number, 1, error);
}
