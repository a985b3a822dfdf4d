/* The keys directory. */
#include "cli/varve/keys.h"

#include "base/error.h"
#include "definition/definition.h"

char *varve_keys_directory(const char *given, const char *work, GError **error)
{
	const char *named = given ? given : g_getenv("VARVE_KEYS");
	g_autofree char *keys =
		named ? g_canonicalize_filename(named, NULL) : g_build_filename(work, "keys", NULL);

	if (g_file_test(keys, G_FILE_TEST_IS_DIR))
		return g_steal_pointer(&keys);
	varve_fail(
		error, VARVE_ERROR_NOT_FOUND,
		"%s: no keys there; make development keys with 'varve keys init %s', or say where "
		"they are with --keys",
		keys, keys);
	return NULL;
}

char *varve_keys_find(const char *given, const char *directory, GError **error)
{
	g_autoptr(VarveDefinition) definition = NULL;

	if (given || g_getenv("VARVE_KEYS"))
		return varve_keys_directory(given, NULL, error);
	definition = varve_definition_load(directory ? directory : ".", error);
	if (definition)
		return varve_keys_directory(NULL, definition->project.work_dir, error);
	g_prefix_error(error, "no --keys, no $VARVE_KEYS, and no definition that says where keys "
			      "are: ");
	return NULL;
}

gboolean varve_keys_platform(const char *keys, VarvePrivateKey **ret_key,
			     VarveCertificate **ret_certificate, GError **error)
{
	g_autofree char *key_path = g_build_filename(keys, "platform.key", NULL);
	g_autofree char *certificate_path = g_build_filename(keys, "platform.crt", NULL);
	g_autoptr(VarvePrivateKey) key = varve_private_key_load(key_path, error);
	VarveCertificate *certificate =
		key ? varve_certificate_load(certificate_path, error) : NULL;

	if (!certificate)
		return FALSE;
	*ret_key = g_steal_pointer(&key);
	*ret_certificate = certificate;
	return TRUE;
}

gboolean varve_keys_enrolment(const char *keys, GBytes *ret[VARVE_ENROLMENT_N], GError **error)
{
	static const char *const needed[] = { "PK.crt", "PK.key", "KEK.crt", "KEK.key" };
	g_autoptr(VarveEnrolment) enrolment = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(needed); i++) {
		g_autofree char *path = g_build_filename(keys, needed[i], NULL);

		if (!g_file_test(path, G_FILE_TEST_EXISTS))
			return TRUE;
	}
	enrolment = varve_enrolment_open(keys, error);
	return enrolment && varve_enrolment_sign(enrolment, NULL, NULL, ret, error);
}
