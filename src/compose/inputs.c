/* What a result was made from, as one digest. */
#include "compose/inputs.h"

#include "base/error.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <string.h>

struct VarveInputs {
	GByteArray *bytes;
};

static void put(VarveInputs *inputs, const void *data, gsize size)
{
	guint64 length = GUINT64_TO_LE((guint64)size);

	g_byte_array_append(inputs->bytes, (const guint8 *)&length, sizeof(length));
	g_byte_array_append(inputs->bytes, data, (guint)size);
}

VarveInputs *varve_inputs_new(const char *kind)
{
	VarveInputs *inputs = g_new0(VarveInputs, 1);

	inputs->bytes = g_byte_array_new();
	put(inputs, kind, strlen(kind));
	return inputs;
}

void varve_inputs_free(VarveInputs *inputs)
{
	if (!inputs)
		return;
	g_byte_array_unref(inputs->bytes);
	g_free(inputs);
}

void varve_inputs_add(VarveInputs *inputs, const char *label, const char *value)
{
	value = value ? value : "";
	put(inputs, label, strlen(label));
	put(inputs, value, strlen(value));
}

void varve_inputs_add_number(VarveInputs *inputs, const char *label, guint64 value)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

	varve_inputs_add(inputs, label, text);
}

void varve_inputs_add_strings(VarveInputs *inputs, const char *label, const char *const *values)
{
	guint n = values ? g_strv_length((char **)values) : 0;

	varve_inputs_add_number(inputs, label, n);
	for (guint i = 0; i < n; i++)
		varve_inputs_add(inputs, "", values[i]);
}

void varve_inputs_add_digest(VarveInputs *inputs, const char *label, const VarveDigest *value)
{
	put(inputs, label, strlen(label));
	put(inputs, value->bytes, sizeof(value->bytes));
}

gboolean varve_inputs_add_file(VarveInputs *inputs, const char *label, const char *path,
			       GError **error)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	VarveDigest digest;
	guint64 size;

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", path);
	if (!varve_sha256_fd(fd, &digest, &size, error))
		return FALSE;
	varve_inputs_add_digest(inputs, label, &digest);
	return TRUE;
}

char *varve_inputs_key(const VarveInputs *inputs)
{
	VarveDigest digest;

	varve_sha256(inputs->bytes->data, inputs->bytes->len, &digest);
	return varve_digest_dup_hex(&digest);
}
