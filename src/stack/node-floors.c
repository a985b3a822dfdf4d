/* `varvectl good`, `varvectl floors`, and the policy that they and others go by. */
#include "stack/node-floors.h"

#include "base/error.h"
#include "base/file.h"
#include "stack/compliance.h"
#include "stack/generation.h"
#include "stack/tries.h"

#include <string.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static gboolean has_state(const VarveReport *boot)
{
	return strcmp(boot->state, "ok") == 0;
}

VarveFloors *varve_node_floors(const VarveReport *boot, int *ret_dirfd)
{
	*ret_dirfd = has_state(boot) ? open("/" VARVE_STATE_DIR, DIR_FLAGS) : -1;
	return varve_floors_open(*ret_dirfd, varve_anchor_tpm());
}

VarvePolicy *varve_node_policy(int base_fd, const VarveReport *boot, VarveReport *report,
			       GError **error)
{
	varve_autofd etc = open("/etc", DIR_FLAGS);
	varve_autofd state = -1;
	g_autoptr(VarveFloors) floors = varve_node_floors(boot, &state);

	return varve_effective_policy(base_fd, etc, floors, report, error);
}

/* What must be so for a generation to be good. That the system came up says the unit that asks. */
static gboolean is_healthy(const VarveReport *boot, GError **error)
{
	static const char *const codes[] = { "required-layer", "base-rollback", "policy-invalid",
					     "base-unknown" };

	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
		if (varve_report_has_complaint(boot, codes[i]))
			return varve_fail(error, VARVE_ERROR_REFUSED,
					  "the running generation is not marked good: it is not "
					  "compliant (%s), see 'varvectl status'",
					  codes[i]);
	}
	return TRUE;
}

static gboolean is_good(int dirfd, const VarveReport *boot, const VarveDigest *base)
{
	g_autoptr(VarveGeneration) good = varve_generation_linked(dirfd, "good", base, NULL);

	return good && good->number == boot->generation;
}

static int open_generations(const VarveReport *boot, VarveDigest *ret_base, GError **error)
{
	int fd;

	if (!varve_digest_from_hex(boot->base->root, ret_base)) {
		varve_fail(error, VARVE_ERROR_CORRUPT, VARVE_REPORT_FILE ": '%s' is no root hash",
			   boot->base->root);
		return -1;
	}
	fd = open("/" VARVE_GENERATIONS_DIR, DIR_FLAGS);
	if (fd < 0)
		varve_fail_errno(error, errno, "/" VARVE_GENERATIONS_DIR);
	return fd;
}

static gboolean mark(const VarveReport *boot, gboolean *ret_marked, GError **error)
{
	VarveDigest base;
	varve_autofd dirfd = open_generations(boot, &base, error);
	g_autoptr(VarveGeneration) generation = NULL;

	if (dirfd < 0)
		return FALSE;
	if (is_good(dirfd, boot, &base))
		return TRUE;
	generation = varve_generation_load(dirfd, boot->generation, error);
	if (!generation)
		return FALSE;
	if (!varve_digest_equal(&generation->base, &base))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "generation %u is of another base than the one that runs",
				  boot->generation);
	if (!varve_generation_link(dirfd, generation, "good", error))
		return FALSE;
	*ret_marked = TRUE;
	return TRUE;
}

/* Whatever else is to be said of the stack: it came up, and the boots before do not count. The base
 * alone, after a stack that did not come up, says nothing of that stack. */
static gboolean came_up(VarveReport *boot, GError **error)
{
	VarveDigest base;
	varve_autofd dirfd = -1;

	if (!has_state(boot) || boot->generation == 0)
		return TRUE;
	dirfd = open_generations(boot, &base, error);
	if (dirfd < 0 || !varve_tries_end(dirfd, &base, boot->generation, error))
		return FALSE;
	if (boot->attempt == 0)
		return TRUE;
	boot->attempt = 0;
	return varve_report_save(boot, VARVE_REPORT_FILE, error);
}

static gboolean raise_record(VarveReport *boot, VarveGood *good, GError **error)
{
	varve_autofd state = -1;
	g_autoptr(VarveFloors) floors = varve_node_floors(boot, &state);

	if (!varve_floors_raise(floors, boot->to_record, &good->raised, &good->note, error))
		return FALSE;
	if (!good->raised)
		return TRUE;
	varve_floors_describe(floors, boot);
	return varve_report_save(boot, VARVE_REPORT_FILE, error);
}

gboolean varve_node_good(const VarveReport *asked, VarveGood *ret, GError **error)
{
	varve_autofd lock = varve_lock(VARVE_NODE_LOCK, TRUE, error);
	g_autoptr(VarveReport) boot =
		lock >= 0 ? varve_report_load(VARVE_REPORT_FILE, error) : NULL;
	VarveGood good = { .generation = asked->generation };

	if (!boot)
		return FALSE;
	if (boot->generation != asked->generation || boot->usr != asked->usr) {
		good.note = g_strdup("another stack came meanwhile: nothing is marked");
		*ret = good;
		return TRUE;
	}
	if (!came_up(boot, error) || !is_healthy(boot, error))
		return FALSE;
	if (!has_state(boot)) {
		good.note = g_strdup("nothing is recorded: the state partition cannot be used");
		*ret = good;
		return TRUE;
	}
	if ((boot->generation > 0 && !mark(boot, &good.marked, error)) ||
	    !raise_record(boot, &good, error))
		return FALSE;
	*ret = good;
	return TRUE;
}

gboolean varve_node_accept(gboolean forget, const char *who, gboolean *ret_accepted, GError **error)
{
	varve_autofd lock = varve_lock(VARVE_NODE_LOCK, TRUE, error);
	g_autoptr(VarveReport) boot =
		lock >= 0 ? varve_report_load(VARVE_REPORT_FILE, error) : NULL;
	g_autoptr(VarveRecord) by = boot ? varve_record_copy(boot->to_record) : NULL;
	VarveDigest base;
	varve_autofd generations = -1, state = -1;
	g_autoptr(VarveFloors) floors = NULL;

	if (!boot)
		return FALSE;
	floors = varve_node_floors(boot, &state);
	if (!forget && !varve_floors_alarming(floors)) {
		*ret_accepted = FALSE;
		return TRUE;
	}
	if (has_state(boot)) {
		generations = open_generations(boot, &base, error);
		if (generations < 0)
			return FALSE;
		if (!is_good(generations, boot, &base))
			g_hash_table_remove_all(by->floors);
	}
	if (!varve_floors_accept(floors, by, forget, who, error))
		return FALSE;
	varve_floors_describe(floors, boot);
	if (!varve_report_save(boot, VARVE_REPORT_FILE, error))
		return FALSE;
	*ret_accepted = TRUE;
	return TRUE;
}
