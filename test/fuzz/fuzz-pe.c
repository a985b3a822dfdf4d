/* PE images: what is opened has sections and signatures that can be read, and stays sound with one
 * section more. */
#include "crypt/authenticode.h"
#include "format/pe.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Who made a signature cannot be guessed, so whoever passes was in the corpus, with this digest. */
static void read_signatures(const VarvePe *pe, const VarveDigest *digest)
{
	g_autoptr(GPtrArray) signatures = NULL;

	if (!varve_pe_signatures(pe, &signatures, NULL))
		return;
	for (guint i = 0; i < signatures->len; i++) {
		g_autoptr(VarveCertificate) signer = NULL;
		VarveDigest other = *digest;

		varve_authenticode_check(signatures->pdata[i], digest, &signer, NULL);
		other.bytes[0] ^= 1;
		if (signer && varve_authenticode_check(signatures->pdata[i], &other, NULL, NULL))
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size);
	g_autoptr(VarvePe) pe = varve_pe_open(bytes, "input", NULL), again = NULL;
	g_autoptr(GBytes) content = g_bytes_new_static("content", 7), appended = NULL;
	VarvePeAddition addition = { ".fuzz", content };
	VarveDigest digest;

	if (!pe)
		return 0;
	varve_pe_digest(pe, &digest);
	read_signatures(pe, &digest);
	for (gsize i = 0; i < varve_pe_n_sections(pe); i++) {
		g_autoptr(GBytes) section = varve_pe_content(pe, varve_pe_section(pe, i));

		g_bytes_hash(section);
	}
	appended = varve_pe_append(pe, &addition, 1, NULL);
	if (!appended)
		return 0;
	again = varve_pe_open(appended, "appended", NULL);
	if (!again || !varve_pe_find(again, ".fuzz"))
		__builtin_trap();
	return 0;
}
