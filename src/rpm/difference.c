/* How two packages differ. */
#include "rpm/difference.h"

#include "base/error.h"
#include "rpm/context.h"
#include "rpm/reader.h"

#include <rpm/rpmlib.h>
#include <rpm/rpmts.h>
#include <string.h>

#define SHOWN_BYTES 60

static Header read_header(const char *path, GError **error)
{
	FD_t fd = Fopen(path, "r.ufdio");
	Header header = NULL;
	rpmts ts;

	varve_rpm_init();
	if (!fd || Ferror(fd)) {
		if (fd)
			Fclose(fd);
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: cannot be opened", path);
		return NULL;
	}
	ts = rpmtsCreate();
	rpmtsSetVSFlags(ts, RPMVSF_MASK_NOSIGNATURES);
	rpmReadPackageFile(ts, fd, path, &header);
	rpmtsFree(ts);
	Fclose(fd);
	if (!header)
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: its header cannot be read", path);
	return header;
}

/* The values of a tag as one text. */
static char *tag_text(Header header, rpmTagVal tag)
{
	g_autoptr(GString) text = g_string_new(NULL);
	rpmtd data = rpmtdNew();

	if (headerGet(header, tag, data, HEADERGET_EXT))
		while (rpmtdNext(data) >= 0) {
			char *value = rpmtdFormat(data, RPMTD_FORMAT_STRING, NULL);

			g_string_append_printf(text, "%s\n", value ? value : "");
			free(value);
		}
	rpmtdFreeData(data);
	rpmtdFree(data);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The first line that differs stands for them all. */
static void report_tag(GString *report, rpmTagVal tag, const char *a, const char *b)
{
	g_auto(GStrv) left = g_strsplit(a, "\n", -1), right = g_strsplit(b, "\n", -1);
	guint i = 0;

	while (left[i] && right[i] && strcmp(left[i], right[i]) == 0)
		i++;
	g_string_append_printf(report, "  tag %s: '%.*s' and '%.*s'\n", rpmTagGetName(tag),
			       SHOWN_BYTES, left[i] ? left[i] : "", SHOWN_BYTES,
			       right[i] ? right[i] : "");
}

/* What only says that something else differs. */
static gboolean is_consequence(rpmTagVal tag)
{
	static const rpmTagVal consequences[] = {
		RPMTAG_SIGSIZE,       RPMTAG_SIGMD5,           RPMTAG_SHA1HEADER,
		RPMTAG_SHA256HEADER,  RPMTAG_RSAHEADER,        RPMTAG_DSAHEADER,
		RPMTAG_PAYLOADDIGEST, RPMTAG_PAYLOADDIGESTALT, RPMTAG_FILEDIGESTS,
		RPMTAG_FILESIZES,     RPMTAG_FILEMTIMES,       RPMTAG_FILEMODES,
		RPMTAG_FILELINKTOS,   RPMTAG_ARCHIVESIZE,      RPMTAG_BASENAMES,
		RPMTAG_DIRINDEXES,    RPMTAG_DIRNAMES,         RPMTAG_HEADERIMMUTABLE
	};

	for (gsize i = 0; i < G_N_ELEMENTS(consequences); i++)
		if (consequences[i] == tag)
			return TRUE;
	return FALSE;
}

static void compare_tags(Header a, Header b, gboolean only_missing, GString *report)
{
	HeaderIterator iterator = headerInitIterator(a);
	rpmTagVal tag;

	while ((tag = headerNextTag(iterator)) != RPMTAG_NOT_FOUND) {
		g_autofree char *left = NULL, *right = NULL;

		if (is_consequence(tag) || (only_missing && headerIsEntry(b, tag)))
			continue;
		left = tag_text(a, tag);
		right = tag_text(b, tag);
		if (strcmp(left, right) != 0)
			report_tag(report, tag, only_missing ? right : left,
				   only_missing ? left : right);
	}
	headerFreeIterator(iterator);
}

static GHashTable *by_path(const GPtrArray *files)
{
	GHashTable *table = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < files->len; i++)
		g_hash_table_insert(table, ((VarvePackageFile *)files->pdata[i])->path,
				    files->pdata[i]);
	return table;
}

static void compare_file(const VarvePackageFile *a, const VarvePackageFile *b, GString *report)
{
	if (!b) {
		g_string_append_printf(report, "  /%s: only in the one\n", a->path);
		return;
	}
	if (strcmp(a->digest, b->digest) != 0 || strcmp(a->target, b->target) != 0)
		g_string_append_printf(report, "  /%s: content\n", a->path);
	if (a->mode != b->mode || strcmp(a->user, b->user) != 0 || strcmp(a->group, b->group) != 0)
		g_string_append_printf(report, "  /%s: mode or owner\n", a->path);
	if (a->mtime != b->mtime)
		g_string_append_printf(
			report, "  /%s: time %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT "\n",
			a->path, a->mtime, b->mtime);
}

static void compare_files(const GPtrArray *a, const GPtrArray *b, GString *report)
{
	g_autoptr(GHashTable) left = by_path(a), right = by_path(b);

	for (guint i = 0; i < a->len; i++) {
		const VarvePackageFile *file = a->pdata[i];

		compare_file(file, g_hash_table_lookup(right, file->path), report);
	}
	for (guint i = 0; i < b->len; i++) {
		const VarvePackageFile *file = b->pdata[i];

		if (!g_hash_table_contains(left, file->path))
			compare_file(file, NULL, report);
	}
}

gboolean varve_rpm_difference(const char *a, const char *b, GString *report, GError **error)
{
	g_autoptr(VarvePackage) left = NULL, right = NULL;
	g_autoptr(GPtrArray) left_files = NULL, right_files = NULL;
	Header left_header, right_header = NULL;

	if (!varve_rpm_read(a, &left, &left_files, error) ||
	    !varve_rpm_read(b, &right, &right_files, error))
		return FALSE;
	left_header = read_header(a, error);
	right_header = left_header ? read_header(b, error) : NULL;
	if (right_header) {
		compare_tags(left_header, right_header, FALSE, report);
		compare_tags(right_header, left_header, TRUE, report);
		compare_files(left_files, right_files, report);
	}
	headerFree(left_header);
	headerFree(right_header);
	return right_header != NULL;
}
