/* The platform's signature as text and as JSON. */
#include "cli/varve/platform-text.h"

#include "base/error.h"

gboolean varve_platform_find(const VarveLayer *layer, const GPtrArray *certificates,
			     const VarveCertificate **ret_signer, GError **error)
{
	const VarveCertificate *signer = NULL;
	g_autoptr(GError) local = NULL;

	if (certificates && varve_layer_claims(layer)->platform_signature &&
	    !varve_layer_check_platform(layer, certificates, &signer, &local) &&
	    !g_error_matches(local, VARVE_ERROR, VARVE_ERROR_UNTRUSTED)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	*ret_signer = signer;
	return TRUE;
}

char *varve_platform_text(const VarveLayer *layer, const VarveCertificate *signer)
{
	const VarveSignaturePartition *claims = varve_layer_claims(layer);
	g_autofree char *fingerprint = NULL;

	if (!claims->platform_signature)
		return g_strdup("not admitted");
	if (signer)
		return g_strdup_printf(
			"admitted by %s%s", varve_certificate_name(signer),
			varve_certificate_is_development(signer) ? " (development key)" : "");
	if (!claims->has_platform_fingerprint)
		return g_strdup("admitted, by none of the certificates given");
	fingerprint = varve_digest_dup_hex(&claims->platform_fingerprint);
	return g_strdup_printf("admitted, it says by %.16s…, none of the certificates given",
			       fingerprint);
}

json_t *varve_platform_json(const VarveLayer *layer, const VarveCertificate *signer)
{
	const VarveSignaturePartition *claims = varve_layer_claims(layer);
	json_t *object;

	if (!claims->platform_signature)
		return json_null();
	object = json_object();
	if (claims->has_platform_fingerprint) {
		g_autofree char *hex = varve_digest_dup_hex(&claims->platform_fingerprint);

		json_object_set_new(object, "fingerprint", json_string(hex));
	}
	json_object_set_new(object, "signer",
			    signer ? json_string(varve_certificate_name(signer)) : json_null());
	if (signer)
		json_object_set_new(object, "development",
				    json_boolean(varve_certificate_is_development(signer)));
	return object;
}
