/* Detached PKCS#7: whatever is accepted is the one signature that was made (corpus: good); the key
 * that made it is gone. */
#include "crypt/signature.h"

#include <stdint.h>
#include <string.h>

static const char certificate_pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIDATCCAemgAwIBAgIUXi61DqYPJws0JVbUfEcqYesi5bgwDQYJKoZIhvcNAQEL\n"
	"BQAwDzENMAsGA1UEAwwEZnV6ejAgFw0yNjExMjMwMDI3NThaGA8yMTI2MTAzMDAw\n"
	"Mjc1OFowDzENMAsGA1UEAwwEZnV6ejCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC\n"
	"AQoCggEBALWQnLVFmiTXA/5BETBoUyBIh/nSE3v0lDB/H9CJlNTWs1OY5zK9WTFu\n"
	"zzH4rpbiuqjop/sK++dugSckts2tQEN7LZ3fSPiHsgru8LEibnucmc10r5ghamM9\n"
	"CVvsWLHD66ngirOJ9lRFlYsaZ9xil6cWc6QRlvmYiv8HLe965C5+1dykIzURFAYw\n"
	"e1HTL3Pinm7B9D+BxBjw6I+JRNzPCKLpiBrVp/9weChYR3whykmnA62gf4vNA29w\n"
	"pU2vYkIjAHjIObDb9OWFpWorJ8HKMxEccp4kgQcAl6P2Jg/tvWHyk1sJiu/vqir9\n"
	"WsxLWw9VatJhi02M4fBF5ic4Rub8QIcCAwEAAaNTMFEwHQYDVR0OBBYEFFtz4LXH\n"
	"CjSgv18Al6GJioe54nIgMB8GA1UdIwQYMBaAFFtz4LXHCjSgv18Al6GJioe54nIg\n"
	"MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBAChEYrgd8VEDK6RY\n"
	"XZN++BwTydoiEmbT5ckneZetPH+EVRz+/tgMoeN85cEJbfjlA0k5X2EQXEWBQJbM\n"
	"s6Xoqymq+MUWTVvXB9gAzmj/HasjIm6NaqLpnRYK42X8B4pspV3bt5w/yAA3bDlq\n"
	"zdcwh3n1A/JVnR/mh2D6iCo/+RsCDNJRDIblB5l+RN8dm5tFQskbzme9OOg4+0YC\n"
	"sKusUY/ffFA/4QgOT+6vNtHOjvwd4XsG/4gob4+Ru/oWiQvGHOxWjlXr3PeM6S8W\n"
	"UJsqSPfTbqaSC0QWPxIkSej2UObQ29lakkX6LY/Huph7GtRO7RME+kgJSCveL9pW\n"
	"2JVwfNc=\n"
	"-----END CERTIFICATE-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarveCertificate) certificate = varve_certificate_parse(
		certificate_pem, strlen(certificate_pem), "certificate", NULL);
	g_autoptr(VarveCertificate) parsed = NULL;
	g_autoptr(GPtrArray) certificates = g_ptr_array_new();

	g_ptr_array_add(certificates, certificate);
	if (varve_signature_verify(certificates, "varve", 5, data, size, NULL, NULL) &&
	    varve_signature_verify(certificates, "Varve", 5, data, size, NULL, NULL))
		__builtin_trap();
	/* The other thing of ours that reads DER and PEM. */
	parsed = varve_certificate_parse(data, size, "input", NULL);
	return 0;
}
