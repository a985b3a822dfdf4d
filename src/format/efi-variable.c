/* Signature lists and authenticated updates of UEFI variables (UEFI 2.10). */
#include "format/efi-variable.h"

#include "crypt/signed-data.h"
#include "format/bytes.h"

#include <string.h>

#define CERT_X509 "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"  /* EFI_CERT_X509_GUID */
#define CERT_PKCS7 "4aafd29d-68df-49ee-8aa9-347d375665a7" /* EFI_CERT_TYPE_PKCS7_GUID */
/* SignatureOwner of what Varve enrols: any GUID that tells who wrote it. */
#define OWNER "4517e1f9-ecdb-8a64-bcfb-c307858cd808"

#define GUID_SIZE 16
#define WIN_CERTIFICATE_REVISION 0x0200
#define WIN_CERTIFICATE_EFI_GUID 0x0ef1

/* EFI_SIGNATURE_LIST, and EFI_SIGNATURE_DATA behind it. */
enum {
	LIST_TYPE = 0,
	LIST_SIZE = 16,
	LIST_HEADER_SIZE = 20,
	LIST_SIGNATURE_SIZE = 24,
	LIST_END = 28,
	LIST_DATA = LIST_END + GUID_SIZE,
};

/* WIN_CERTIFICATE_UEFI_GUID. */
enum {
	WIN_LENGTH = 0,
	WIN_REVISION = 4,
	WIN_TYPE = 6,
	WIN_GUID = 8,
	WIN_END = WIN_GUID + GUID_SIZE,
};

static void put_guid_text(guint8 *at, const char *text)
{
	VarveGuid guid;

	if (!varve_guid_from_text(text, &guid))
		g_error("'%s' is not a GUID", text);
	varve_guid_put(at, &guid);
}

guint8 *varve_efi_name(const char *name, gsize *ret_size)
{
	gsize size = (strlen(name) + 1) * 2;
	guint8 *wide = g_malloc0(size);

	for (gsize i = 0; name[i]; i++)
		wide[2 * i] = (guint8)name[i];
	*ret_size = size;
	return wide;
}

void varve_efi_time(gint64 seconds, guint8 ret[VARVE_EFI_TIME_SIZE])
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(MAX(seconds, 0));

	/* Nanosecond, TimeZone, Daylight and the padding have to be zero here (8.2.2). */
	memset(ret, 0, VARVE_EFI_TIME_SIZE);
	if (!time) /* later than the year 9999 */
		return;
	varve_put_le16(ret, (guint16)g_date_time_get_year(time));
	ret[2] = (guint8)g_date_time_get_month(time);
	ret[3] = (guint8)g_date_time_get_day_of_month(time);
	ret[4] = (guint8)g_date_time_get_hour(time);
	ret[5] = (guint8)g_date_time_get_minute(time);
	ret[6] = (guint8)g_date_time_get_second(time);
}

GBytes *varve_efi_signature_list(const VarveCertificate *certificate)
{
	g_autoptr(GBytes) der = varve_certificate_to_der(certificate);
	gsize size;
	const void *data = g_bytes_get_data(der, &size);
	guint8 *list = g_malloc0(LIST_DATA + size);

	put_guid_text(list + LIST_TYPE, CERT_X509);
	varve_put_le32(list + LIST_SIZE, (guint32)(LIST_DATA + size));
	varve_put_le32(list + LIST_SIGNATURE_SIZE, (guint32)(GUID_SIZE + size));
	put_guid_text(list + LIST_END, OWNER);
	memcpy(list + LIST_DATA, data, size);
	return g_bytes_new_take(list, LIST_DATA + size);
}

/* What is signed (8.2.2): name without its NUL, vendor, attributes, time, data. */
static GByteArray *signed_content(const VarveEfiVariable *variable,
				  const guint8 time[VARVE_EFI_TIME_SIZE])
{
	GByteArray *content = g_byte_array_new();
	guint8 vendor[GUID_SIZE], attributes[4];
	gsize name_size, data_size;
	g_autofree guint8 *name = varve_efi_name(variable->name, &name_size);
	const void *data = g_bytes_get_data(variable->data, &data_size);

	put_guid_text(vendor, variable->vendor);
	varve_put_le32(attributes, variable->attributes);
	g_byte_array_append(content, name, (guint)name_size - 2);
	g_byte_array_append(content, vendor, sizeof(vendor));
	g_byte_array_append(content, attributes, sizeof(attributes));
	g_byte_array_append(content, time, VARVE_EFI_TIME_SIZE);
	g_byte_array_append(content, data, (guint)data_size);
	return content;
}

GBytes *varve_efi_variable_sign(const VarveEfiVariable *variable, const VarvePrivateKey *key,
				const VarveCertificate *certificate, GError **error)
{
	guint8 time[VARVE_EFI_TIME_SIZE], header[WIN_END];
	g_autoptr(GByteArray) content = NULL;
	g_autoptr(GBytes) signature = NULL;
	GByteArray *update;
	gsize size;

	varve_efi_time(variable->time, time);
	content = signed_content(variable, time);
	signature = varve_signed_data_make(key, certificate, content->data, content->len, error);
	if (!signature)
		return NULL;
	size = g_bytes_get_size(signature);
	varve_put_le32(header + WIN_LENGTH, (guint32)(WIN_END + size));
	varve_put_le16(header + WIN_REVISION, WIN_CERTIFICATE_REVISION);
	varve_put_le16(header + WIN_TYPE, WIN_CERTIFICATE_EFI_GUID);
	put_guid_text(header + WIN_GUID, CERT_PKCS7);
	update = g_byte_array_new();
	g_byte_array_append(update, time, sizeof(time));
	g_byte_array_append(update, header, sizeof(header));
	g_byte_array_append(update, g_bytes_get_data(signature, NULL), (guint)size);
	g_byte_array_append(update, g_bytes_get_data(variable->data, NULL),
			    (guint)g_bytes_get_size(variable->data));
	return g_byte_array_free_to_bytes(update);
}
