/* The state of verity devices, through libdevmapper. */
#include "device/verity-status.h"

#include "base/error.h"

#include <errno.h>
#include <libdevmapper.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct dm_task DmTask;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DmTask, dm_task_destroy)

/* The library would print: what it has to say is in the errno too. */
static void __attribute__((format(printf, 5, 6)))
say_nothing(int level, const char *file, int line, int errnum, const char *format, ...)
{
	(void)level;
	(void)file;
	(void)line;
	(void)errnum;
	(void)format;
}

gboolean varve_verity_status_parse(const char *line, VarveVerityStatus *status, GError **error)
{
	/* Newer kernels add words behind a space. */
	if ((line[0] != 'V' && line[0] != 'C') || (line[1] != '\0' && line[1] != ' '))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity status '%s': expected V (valid) or C (corrupted)", line);
	status->corrupted = line[0] == 'C';
	return TRUE;
}

gboolean varve_verity_table_parse(const char *line, VarveVerityStatus *status, GError **error)
{
	VarveVerityStatus said = { .corrupted = status->corrupted };
	char algorithm[16], digest[VARVE_DIGEST_HEX_SIZE];
	unsigned long long blocks, start;
	unsigned version, data_size, hash_size;
	int end = 0;

	if (sscanf(line, "%9u %9u:%9u %9u:%9u %9u %9u %19llu %19llu %15s %64s%n", &version,
		   &said.data_major, &said.data_minor, &said.hash_major, &said.hash_minor,
		   &data_size, &hash_size, &blocks, &start, algorithm, digest, &end) != 11 ||
	    line[end] != ' ' || !varve_digest_from_hex(digest, &said.root))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity table '%s': expected version, devices, block sizes, "
				  "blocks, algorithm and digest",
				  line);
	if (version != 1 || data_size != 4096 || hash_size != 4096 ||
	    strcmp(algorithm, "sha256") != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "verity table '%s': expected version 1, blocks of 4096 bytes and "
				  "sha256",
				  line);
	said.data_blocks = blocks;
	*status = said;
	return TRUE;
}

/* The parameters of the one target of @name, as a task of @type gives them. */
static char *ask(int type, const char *name, GError **error)
{
	g_autoptr(DmTask) task = dm_task_create(type);
	char *target = NULL, *parameters = NULL;
	uint64_t start, length;

	if (!task || !dm_task_set_name(task, name)) {
		varve_fail(error, VARVE_ERROR_SYSTEM, "device '%s': device-mapper has no memory",
			   name);
		return NULL;
	}
	dm_task_no_flush(task);
	if (!dm_task_run(task)) {
		int errnum = dm_task_get_errno(task);

		varve_fail_errno(error,
				 errnum == ENXIO ? ENOENT
				 : errnum        ? errnum
						 : EIO,
				 "device '%s' cannot be asked", name);
		return NULL;
	}
	if (dm_get_next_target(task, NULL, &start, &length, &target, &parameters) || !target ||
	    strcmp(target, "verity") != 0 || !parameters) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "device '%s' is not one verity target",
			   name);
		return NULL;
	}
	return g_strdup(parameters);
}

gboolean varve_verity_status_read(const char *name, VarveVerityStatus *ret_status, GError **error)
{
	g_autofree char *status_line = NULL, *table_line = NULL;
	VarveVerityStatus status = { 0 };

	if (access("/dev/mapper/control", R_OK | W_OK) < 0)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "device '%s' cannot be asked: /dev/mapper/control: %s", name,
				  g_strerror(errno));
	dm_log_with_errno_init(say_nothing);
	status_line = ask(DM_DEVICE_STATUS, name, error);
	if (!status_line)
		return FALSE;
	table_line = ask(DM_DEVICE_TABLE, name, error);
	if (!table_line || !varve_verity_table_parse(table_line, &status, error) ||
	    !varve_verity_status_parse(status_line, &status, error)) {
		g_prefix_error(error, "device '%s': ", name);
		return FALSE;
	}
	*ret_status = status;
	return TRUE;
}
