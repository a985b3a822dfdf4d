/* Judging and raising the record of floors. */
#include "stack/floors.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"
#include "stack/generation.h"

#include <stdio.h>
#include <string.h>

#define RECORD_LIMIT (8 * 1024 * 1024)

/* One of the two files. */
typedef struct {
	gboolean there;
	VarveDigest digest;
	VarveRecord *record; /* NULL: it cannot be read, see @why */
	char *why;
} File;

struct VarveFloors {
	int dirfd;
	VarveAnchor *anchor;
	VarveAnchorState state;
	VarveAnchored anchored; /* where SET */
	char *anchor_error;     /* where NONE and SILENT */
	File current, next;
	gboolean next_is_anchored; /* a power cut came between anchor and rename */
	VarveFloorsVerdict verdict;
	VarveRecord *record;
};

static void file_clear(File *file)
{
	varve_record_free(file->record);
	g_free(file->why);
	memset(file, 0, sizeof(*file));
}

static void file_read(int dirfd, const char *name, File *file)
{
	g_autofree char *path = g_strconcat("/" VARVE_STATE_DIR "/", name, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	gsize size;

	if (dirfd < 0)
		return;
	if (varve_file_read_beneath(dirfd, name, RECORD_LIMIT, &text, &size, &error)) {
		varve_sha256(text, size, &file->digest);
		file->record = varve_record_parse(text, size, path, &error);
	} else if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND)) {
		return;
	}
	file->there = TRUE;
	if (error)
		file->why = g_strdup(error->message);
}

static gboolean is_anchored(const VarveFloors *floors, const File *file)
{
	return floors->state == VARVE_ANCHOR_SET && file->record &&
	       file->record->number == floors->anchored.number &&
	       varve_digest_equal(&file->digest, &floors->anchored.digest);
}

/* Where no file belongs to the anchor. */
static VarveFloorsVerdict judge_unanchored(const VarveFloors *floors)
{
	const VarveRecord *record = floors->current.record;
	gboolean set = floors->state == VARVE_ANCHOR_SET;

	if (floors->dirfd < 0 && !set)
		return VARVE_FLOORS_VOLATILE;
	if (!floors->current.there)
		return set ? VARVE_FLOORS_LOST : VARVE_FLOORS_NEW;
	if (!record)
		return VARVE_FLOORS_UNREADABLE;
	if (set)
		return record->number < floors->anchored.number ? VARVE_FLOORS_OLDER
								: VARVE_FLOORS_ALTERED;
	/* One that is on its way says nothing: its anchor was never made. */
	if (!record->anchored)
		return VARVE_FLOORS_RECORD;
	return floors->state == VARVE_ANCHOR_EMPTY  ? VARVE_FLOORS_TPM_CLEARED
	       : floors->state == VARVE_ANCHOR_NONE ? VARVE_FLOORS_TPM_GONE
						    : VARVE_FLOORS_TPM_SILENT;
}

static VarveRecord *all_that_is_there(const VarveFloors *floors)
{
	VarveRecord *record = floors->current.record ? varve_record_copy(floors->current.record)
						     : varve_record_new();

	if (floors->next.record)
		varve_record_raise(record, floors->next.record);
	return record;
}

static void judge(VarveFloors *floors)
{
	const VarveRecord *believed = NULL;

	floors->next_is_anchored = FALSE;
	if (is_anchored(floors, &floors->current)) {
		believed = floors->current.record;
	} else if (is_anchored(floors, &floors->next)) {
		believed = floors->next.record;
		floors->next_is_anchored = TRUE;
	}
	floors->verdict = believed ? VARVE_FLOORS_ANCHORED : judge_unanchored(floors);
	if (floors->verdict == VARVE_FLOORS_RECORD)
		believed = floors->current.record;
	varve_record_free(floors->record);
	floors->record = believed                              ? varve_record_copy(believed)
			 : floors->verdict == VARVE_FLOORS_NEW ? varve_record_new()
							       : all_that_is_there(floors);
}

static void look(VarveFloors *floors)
{
	g_autoptr(GError) error = NULL;

	file_clear(&floors->current);
	file_clear(&floors->next);
	file_read(floors->dirfd, VARVE_FLOORS_FILE, &floors->current);
	file_read(floors->dirfd, VARVE_FLOORS_NEXT, &floors->next);
	floors->state = floors->anchor->read(floors->anchor, &floors->anchored, &error);
	g_free(floors->anchor_error);
	floors->anchor_error = g_strdup(error ? error->message : "");
	judge(floors);
}

VarveFloors *varve_floors_open(int dirfd, VarveAnchor *anchor)
{
	VarveFloors *floors = g_new0(VarveFloors, 1);

	floors->dirfd = dirfd;
	floors->anchor = anchor;
	look(floors);
	return floors;
}

void varve_floors_free(VarveFloors *floors)
{
	if (!floors)
		return;
	file_clear(&floors->current);
	file_clear(&floors->next);
	varve_record_free(floors->record);
	g_free(floors->anchor_error);
	g_free(floors);
}

VarveFloorsVerdict varve_floors_verdict(const VarveFloors *floors)
{
	return floors->verdict;
}

const char *varve_floors_code(const VarveFloors *floors)
{
	static const char *const codes[] = {
		[VARVE_FLOORS_NEW] = "new",
		[VARVE_FLOORS_RECORD] = "record",
		[VARVE_FLOORS_ANCHORED] = "anchored",
		[VARVE_FLOORS_VOLATILE] = "volatile",
		[VARVE_FLOORS_OLDER] = "record-older",
		[VARVE_FLOORS_ALTERED] = "record-altered",
		[VARVE_FLOORS_LOST] = "record-lost",
		[VARVE_FLOORS_UNREADABLE] = "record-unreadable",
		[VARVE_FLOORS_TPM_CLEARED] = "tpm-cleared",
		[VARVE_FLOORS_TPM_GONE] = "tpm-gone",
		[VARVE_FLOORS_TPM_SILENT] = "tpm-silent",
	};

	return codes[floors->verdict];
}

gboolean varve_floors_alarming(const VarveFloors *floors)
{
	return floors->verdict >= VARVE_FLOORS_OLDER;
}

const VarveRecord *varve_floors_record(const VarveFloors *floors)
{
	return floors->record;
}

const VarveAnchored *varve_floors_anchor(const VarveFloors *floors)
{
	return floors->state == VARVE_ANCHOR_SET ? &floors->anchored : NULL;
}

const char *varve_floors_why(const VarveFloors *floors)
{
	if (floors->verdict == VARVE_FLOORS_UNREADABLE)
		return floors->current.why;
	return floors->anchor_error;
}

VarveAnchorState varve_floors_anchor_state(const VarveFloors *floors)
{
	return floors->state;
}

gboolean varve_floors_has_state(const VarveFloors *floors)
{
	return floors->dirfd >= 0;
}

static gboolean sync_dir(const VarveFloors *floors, GError **error)
{
	return fsync(floors->dirfd) == 0 ||
	       varve_fail_errno(error, errno, "/" VARVE_STATE_DIR " cannot be synced");
}

static gboolean put_next_in_place(const VarveFloors *floors, GError **error)
{
	if (renameat(floors->dirfd, VARVE_FLOORS_NEXT, floors->dirfd, VARVE_FLOORS_FILE) < 0)
		return varve_fail_errno(error, errno,
					"/" VARVE_STATE_DIR "/" VARVE_FLOORS_FILE
					" cannot be replaced");
	return sync_dir(floors, error);
}

/* After this the first file is the one that belongs to the anchor. */
static gboolean settle(VarveFloors *floors, GError **error)
{
	if (!floors->next_is_anchored)
		return TRUE;
	if (!put_next_in_place(floors, error))
		return FALSE;
	look(floors);
	return TRUE;
}

static gboolean write_record(const VarveFloors *floors, const char *name, const VarveRecord *record,
			     VarveDigest *ret_digest, GError **error)
{
	g_autofree char *text = varve_record_write(record, error);

	if (!text)
		return FALSE;
	varve_sha256(text, strlen(text), ret_digest);
	return varve_file_write(floors->dirfd, name, text, strlen(text), 0644, error);
}

/* The order is what it is all about: the record that is to be believed lies on the disk before the
 * anchor moves to it, and the one before it until it has. */
static gboolean commit_anchored(VarveFloors *floors, const VarveRecord *record, GError **error)
{
	VarveAnchored anchored = { .number = record->number };

	return write_record(floors, VARVE_FLOORS_NEXT, record, &anchored.digest, error) &&
	       floors->anchor->write(floors->anchor, &anchored, error) &&
	       put_next_in_place(floors, error);
}

static gboolean commit(VarveFloors *floors, const VarveRecord *record, GError **error)
{
	VarveDigest digest;
	gboolean ok;

	if (record->number > VARVE_RECORD_NUMBER_MAX)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "there are no numbers left for the record of floors: begin it "
				  "anew, with /" VARVE_STATE_DIR "/" VARVE_FLOORS_FILE " removed");
	if (record->anchored) {
		ok = commit_anchored(floors, record, error);
	} else {
		ok = write_record(floors, VARVE_FLOORS_FILE, record, &digest, error);
		if (ok && unlinkat(floors->dirfd, VARVE_FLOORS_NEXT, 0) < 0 && errno != ENOENT)
			ok = varve_fail_errno(error, errno,
					      "/" VARVE_STATE_DIR "/" VARVE_FLOORS_NEXT
					      " cannot be removed");
	}
	look(floors);
	return ok;
}

static gboolean has_place_for_anchor(const VarveFloors *floors)
{
	return floors->state == VARVE_ANCHOR_SET || floors->state == VARVE_ANCHOR_EMPTY;
}

/* A first anchor that the TPM will not take is no reason to remember nothing. It may have taken it
 * all the same: then the record that is on its way is believed already. */
static gboolean commit_first(VarveFloors *floors, VarveRecord *record, char **ret_note,
			     GError **error)
{
	g_autoptr(GError) local = NULL;

	if (commit(floors, record, &local))
		return TRUE;
	if (floors->state != VARVE_ANCHOR_EMPTY || !floors->next.there) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	*ret_note = g_strdup_printf("the record is kept without an anchor: %s", local->message);
	record->anchored = FALSE;
	return commit(floors, record, error);
}

gboolean varve_floors_raise(VarveFloors *floors, const VarveRecord *by, gboolean *ret_changed,
			    char **ret_note, GError **error)
{
	g_autoptr(VarveRecord) record = NULL;
	g_autofree char *note = NULL;
	gboolean changed;

	if (varve_floors_alarming(floors))
		return varve_fail(error, VARVE_ERROR_REFUSED,
				  "the record of floors is not raised: it is not the one that was "
				  "kept here (%s): see 'varvectl status'",
				  varve_floors_code(floors));
	if (floors->verdict == VARVE_FLOORS_VOLATILE)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "there is no state partition to keep the record of floors on");
	if (!settle(floors, error))
		return FALSE;
	record = varve_record_copy(floors->record);
	changed = varve_record_raise(record, by);
	if (!changed && record->number > 0 && record->anchored == has_place_for_anchor(floors)) {
		*ret_changed = FALSE;
		return TRUE;
	}
	record->anchored = has_place_for_anchor(floors);
	record->number++;
	if (floors->state == VARVE_ANCHOR_EMPTY ? !commit_first(floors, record, &note, error)
						: !commit(floors, record, error))
		return FALSE;
	*ret_changed = TRUE;
	if (note)
		*ret_note = g_steal_pointer(&note);
	return TRUE;
}

static gint64 highest_number(const VarveFloors *floors)
{
	gint64 number = floors->state == VARVE_ANCHOR_SET ? floors->anchored.number : 0;

	if (floors->current.record)
		number = MAX(number, floors->current.record->number);
	if (floors->next.record)
		number = MAX(number, floors->next.record->number);
	return number;
}

gboolean varve_floors_accept(VarveFloors *floors, const VarveRecord *by, gboolean forget,
			     const char *who, GError **error)
{
	g_autoptr(VarveRecord) record = varve_record_copy(floors->record);
	g_autoptr(VarveRecord) kept = NULL;
	g_autofree char *why =
		g_strconcat(varve_floors_code(floors),
			    forget ? ", and what was recorded is forgotten" : "", NULL);

	if (floors->dirfd < 0)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "there is no state partition to keep the record of floors on");
	if (floors->state == VARVE_ANCHOR_SILENT)
		return varve_fail(error, VARVE_ERROR_REFUSED,
				  "the TPM does not answer, so nothing can be anchored in it: %s. "
				  "Repair that, or turn the TPM off in the firmware first",
				  floors->anchor_error);
	if (!settle(floors, error))
		return FALSE;
	kept = varve_record_copy(record);
	if (forget) {
		g_hash_table_remove_all(kept->floors);
		g_hash_table_remove_all(kept->certificates);
		g_hash_table_remove_all(kept->keys);
		g_hash_table_remove_all(kept->layers);
	}
	varve_record_raise(kept, by);
	varve_record_accepted(kept, g_get_real_time() / G_USEC_PER_SEC, who, why);
	kept->number = highest_number(floors) + 1;
	kept->anchored = has_place_for_anchor(floors);
	return commit(floors, kept, error);
}
