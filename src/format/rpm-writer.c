/* RPM packages, format version 4, from files and relations. */
#include "format/rpm-writer.h"

#include "base/error.h"
#include "crypt/sha256.h"
#include "format/rpm-header.h"
#include "format/rpm-payload.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* rpmtag.h */
enum {
	SIGTAG_REGION = 62,
	TAG_REGION = 63,
	TAG_I18N_TABLE = 100,
	SIGTAG_DSA_HEADER = 267, /* every public-key algorithm but RSA */
	SIGTAG_RSA_HEADER = 268,
	SIGTAG_SHA256_HEADER = 273,
	TAG_NAME = 1000,
	SIGTAG_SIZE = 1000,
	TAG_VERSION = 1001,
	TAG_RELEASE = 1002,
	TAG_EPOCH = 1003,
	TAG_SUMMARY = 1004,
	TAG_DESCRIPTION = 1005,
	TAG_BUILD_TIME = 1006,
	TAG_BUILD_HOST = 1007,
	SIGTAG_PAYLOAD_SIZE = 1007,
	TAG_SIZE = 1009,
	TAG_DISTRIBUTION = 1010,
	TAG_VENDOR = 1011,
	TAG_LICENSE = 1014,
	TAG_PACKAGER = 1015,
	TAG_GROUP = 1016,
	TAG_URL = 1020,
	TAG_OS = 1021,
	TAG_ARCH = 1022,
	TAG_FILE_SIZES = 1028,
	TAG_FILE_MODES = 1030,
	TAG_FILE_RDEVS = 1033,
	TAG_FILE_MTIMES = 1034,
	TAG_FILE_DIGESTS = 1035,
	TAG_FILE_LINKTOS = 1036,
	TAG_FILE_FLAGS = 1037,
	TAG_FILE_USERS = 1039,
	TAG_FILE_GROUPS = 1040,
	TAG_SOURCE_RPM = 1044,
	TAG_FILE_VERIFY = 1045,
	TAG_RPM_VERSION = 1064,
	TAG_FILE_DEVICES = 1095,
	TAG_FILE_INODES = 1096,
	TAG_FILE_LANGS = 1097,
	TAG_DIR_INDEXES = 1116,
	TAG_BASENAMES = 1117,
	TAG_DIRNAMES = 1118,
	TAG_PAYLOAD_FORMAT = 1124,
	TAG_PAYLOAD_COMPRESSOR = 1125,
	TAG_PAYLOAD_FLAGS = 1126,
	TAG_FILE_CAPS = 5010,
	TAG_FILE_DIGEST_ALGO = 5011,
	TAG_ENCODING = 5062,
	TAG_PAYLOAD_DIGEST = 5092,
	TAG_PAYLOAD_DIGEST_ALGO = 5093,
	TAG_PAYLOAD_DIGEST_PLAIN = 5097,
};

#define PGP_HASH_SHA256 8
/* rpm takes the package's generation from this tag: what is written here is of 4.18's. */
#define RPM_VERSION "4.18.0"

typedef struct {
	char *name, *version;
	guint32 sense;
} Relation;

struct VarveRpmWriter {
	GStringChunk *strings;
	VarveRpmIdentity identity;
	GPtrArray *files;        /* of VarveRpmFile */
	GPtrArray *relations[4]; /* of Relation, by VarveRpmRelation */
	GHashTable *known;       /* relations as text */
};

static const guint32 relation_tags[4][3] = {
	/* name, version, flags */
	[VARVE_RPM_PROVIDES] = { 1047, 1113, 1112 },
	[VARVE_RPM_REQUIRES] = { 1049, 1050, 1048 },
	[VARVE_RPM_CONFLICTS] = { 1054, 1055, 1053 },
	[VARVE_RPM_OBSOLETES] = { 1090, 1115, 1114 },
};

static const char *keep(VarveRpmWriter *writer, const char *text)
{
	return text ? g_string_chunk_insert_const(writer->strings, text) : NULL;
}

static char *evr_text(const VarveRpmIdentity *id)
{
	return id->epoch >= 0 ? g_strdup_printf("%" G_GINT64_FORMAT ":%s-%s", id->epoch,
						id->version, id->release)
			      : g_strdup_printf("%s-%s", id->version, id->release);
}

VarveRpmWriter *varve_rpm_writer_new(const VarveRpmIdentity *identity)
{
	VarveRpmWriter *writer = g_new0(VarveRpmWriter, 1);
	VarveRpmIdentity *id = &writer->identity;
	g_autofree char *evr = NULL;

	writer->strings = g_string_chunk_new(16 * 1024);
	*id = *identity;
	id->name = keep(writer, id->name);
	id->version = keep(writer, id->version);
	id->release = keep(writer, id->release);
	id->arch = keep(writer, id->arch);
	id->summary = keep(writer, id->summary);
	id->description = keep(writer, id->description);
	id->license = keep(writer, id->license);
	id->vendor = keep(writer, id->vendor);
	id->packager = keep(writer, id->packager);
	id->url = keep(writer, id->url);
	id->group = keep(writer, id->group);
	id->distribution = keep(writer, id->distribution);
	id->source_rpm = keep(writer, id->source_rpm);
	writer->files = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < G_N_ELEMENTS(writer->relations); i++)
		writer->relations[i] = g_ptr_array_new_with_free_func(g_free);
	writer->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	evr = evr_text(id);
	varve_rpm_writer_add_relation(writer, VARVE_RPM_PROVIDES, id->name, VARVE_RPM_EQUAL, evr);
	return writer;
}

void varve_rpm_writer_free(VarveRpmWriter *writer)
{
	if (!writer)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(writer->relations); i++)
		g_ptr_array_unref(writer->relations[i]);
	g_hash_table_unref(writer->known);
	g_ptr_array_unref(writer->files);
	g_string_chunk_free(writer->strings);
	g_free(writer);
}

void varve_rpm_writer_add_file(VarveRpmWriter *writer, const VarveRpmFile *file)
{
	VarveRpmFile *copy = g_memdup2(file, sizeof(*file));

	copy->path = keep(writer, file->path);
	copy->user = keep(writer, file->user);
	copy->group = keep(writer, file->group);
	copy->target = keep(writer, file->target);
	copy->capabilities = keep(writer, file->capabilities);
	g_ptr_array_add(writer->files, copy);
}

void varve_rpm_writer_add_relation(VarveRpmWriter *writer, VarveRpmRelation relation,
				   const char *name, guint32 sense, const char *version)
{
	g_autofree char *text =
		g_strdup_printf("%d %x %s %s", (int)relation, sense, name, version ? version : "");
	Relation *added;

	if (!g_hash_table_add(writer->known, g_steal_pointer(&text)))
		return;
	added = g_new0(Relation, 1);
	added->name = (char *)keep(writer, name);
	added->version = (char *)keep(writer, version ? version : "");
	added->sense = sense;
	g_ptr_array_add(writer->relations[relation], added);
}

void varve_rpm_writer_add_soname(VarveRpmWriter *writer, VarveRpmRelation relation,
				 const char *capability)
{
	varve_rpm_writer_add_relation(writer, relation, capability,
				      relation == VARVE_RPM_PROVIDES ? VARVE_RPM_FOUND_PROVIDES
								     : VARVE_RPM_FOUND_REQUIRES,
				      NULL);
}

char *varve_rpm_writer_file_name(const VarveRpmWriter *writer)
{
	const VarveRpmIdentity *id = &writer->identity;

	return g_strdup_printf("%s-%s-%s.%s.rpm", id->name, id->version, id->release, id->arch);
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const VarveRpmFile *const *)a)->path,
		      (*(const VarveRpmFile *const *)b)->path);
}

static gint compare_relations(gconstpointer a, gconstpointer b)
{
	const Relation *left = *(const Relation *const *)a, *right = *(const Relation *const *)b;
	gint order = strcmp(left->name, right->name);

	if (!order)
		order = strcmp(left->version, right->version);
	return order ? order : (left->sense > right->sense) - (left->sense < right->sense);
}

static gboolean check_files(const VarveRpmWriter *writer, GError **error)
{
	const VarveRpmFile *previous = NULL;

	for (guint i = 0; i < writer->files->len; i++) {
		const VarveRpmFile *file = g_ptr_array_index(writer->files, i);

		if (previous && strcmp(previous->path, file->path) == 0)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "package '%s': %s is in it twice", writer->identity.name,
					  file->path);
		if (file->size > G_MAXUINT32)
			return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
					  "package '%s': %s has %" G_GUINT64_FORMAT
					  " bytes; RPM 4 packages carry files below 4 GiB",
					  writer->identity.name, file->path, file->size);
		previous = file;
	}
	return TRUE;
}

/* Numbers the files, hard links alike; counts the names of each. */
static void number_files(const GPtrArray *files, guint32 *inodes, guint32 *links)
{
	g_autoptr(GHashTable) first = g_hash_table_new(NULL, NULL),
			      count = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < files->len; i++) {
		const VarveRpmFile *file = g_ptr_array_index(files, i);
		gpointer link = GUINT_TO_POINTER(file->link), number = NULL;

		inodes[i] = i + 1;
		if (!file->link)
			continue;
		number = g_hash_table_lookup(first, link);
		if (number)
			inodes[i] = GPOINTER_TO_UINT(number);
		else
			g_hash_table_insert(first, link, GUINT_TO_POINTER(i + 1));
		number = g_hash_table_lookup(count, link);
		g_hash_table_insert(count, link, GUINT_TO_POINTER(GPOINTER_TO_UINT(number) + 1));
	}
	for (guint i = 0; i < files->len; i++) {
		const VarveRpmFile *file = g_ptr_array_index(files, i);

		links[i] = file->link ? GPOINTER_TO_UINT(g_hash_table_lookup(
						count, GUINT_TO_POINTER(file->link)))
				      : 1;
	}
}

static void put_identity(VarveRpmHeader *header, const VarveRpmIdentity *id)
{
	g_autoptr(GPtrArray) locales = g_ptr_array_new();
	const struct {
		guint32 tag;
		const char *value;
	} texts[] = {
		{ TAG_NAME, id->name },
		{ TAG_VERSION, id->version },
		{ TAG_RELEASE, id->release },
		{ TAG_DISTRIBUTION, id->distribution },
		{ TAG_VENDOR, id->vendor },
		{ TAG_LICENSE, id->license },
		{ TAG_PACKAGER, id->packager },
		{ TAG_URL, id->url },
		{ TAG_OS, "linux" },
		{ TAG_ARCH, id->arch },
		{ TAG_BUILD_HOST, "varve" },
		{ TAG_SOURCE_RPM, id->source_rpm },
		{ TAG_ENCODING, "utf-8" },
		{ TAG_RPM_VERSION, RPM_VERSION },
	};

	g_ptr_array_add(locales, (gpointer) "C");
	varve_rpm_header_strings(header, TAG_I18N_TABLE, locales);
	for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
		if (texts[i].value)
			varve_rpm_header_string(header, texts[i].tag, texts[i].value);
	varve_rpm_header_translated(header, TAG_SUMMARY, id->summary);
	varve_rpm_header_translated(header, TAG_DESCRIPTION,
				    id->description ? id->description : id->summary);
	varve_rpm_header_translated(header, TAG_GROUP, id->group ? id->group : "Unspecified");
	if (id->epoch >= 0)
		varve_rpm_header_one_u32(header, TAG_EPOCH, (guint32)id->epoch);
	varve_rpm_header_one_u32(header, TAG_BUILD_TIME, (guint32)id->build_time);
}

static void add_rpmlib(VarveRpmWriter *writer, const char *feature, const char *version)
{
	g_autofree char *name = g_strdup_printf("rpmlib(%s)", feature);

	varve_rpm_writer_add_relation(writer, VARVE_RPM_REQUIRES, name,
				      VARVE_RPM_RPMLIB | VARVE_RPM_LESS | VARVE_RPM_EQUAL, version);
}

static void add_features(VarveRpmWriter *writer)
{
	gboolean rich = FALSE,
		 tilde = strchr(writer->identity.version, '~') ||
			 strchr(writer->identity.release, '~'),
		 capabilities = FALSE;

	for (guint kind = 0; kind < G_N_ELEMENTS(writer->relations); kind++)
		for (guint i = 0; i < writer->relations[kind]->len; i++) {
			const Relation *relation = g_ptr_array_index(writer->relations[kind], i);

			rich |= relation->name[0] == '(';
			tilde |= strchr(relation->version, '~') != NULL;
		}
	for (guint i = 0; i < writer->files->len; i++)
		capabilities |=
			((const VarveRpmFile *)g_ptr_array_index(writer->files, i))->capabilities !=
			NULL;
	add_rpmlib(writer, "CompressedFileNames", "3.0.4-1");
	add_rpmlib(writer, "FileDigests", "4.6.0-1");
	add_rpmlib(writer, "PayloadFilesHavePrefix", "4.0-1");
	add_rpmlib(writer, "PayloadIsZstd", "5.4.18-1");
	if (rich)
		add_rpmlib(writer, "RichDependencies", "4.12.0-1");
	if (tilde)
		add_rpmlib(writer, "TildeInVersions", "4.10.0-1");
	if (capabilities)
		add_rpmlib(writer, "FileCaps", "4.6.1-1");
}

static void put_relations(VarveRpmHeader *header, VarveRpmWriter *writer)
{
	for (guint kind = 0; kind < G_N_ELEMENTS(writer->relations); kind++) {
		GPtrArray *relations = writer->relations[kind];
		g_autoptr(GPtrArray) names = g_ptr_array_new(), versions = g_ptr_array_new();
		g_autoptr(GArray) senses = g_array_new(FALSE, FALSE, sizeof(guint32));

		g_ptr_array_sort(relations, compare_relations);
		for (guint i = 0; i < relations->len; i++) {
			Relation *relation = g_ptr_array_index(relations, i);

			g_ptr_array_add(names, relation->name);
			g_ptr_array_add(versions, relation->version);
			g_array_append_val(senses, relation->sense);
		}
		varve_rpm_header_strings(header, relation_tags[kind][0], names);
		varve_rpm_header_strings(header, relation_tags[kind][1], versions);
		varve_rpm_header_u32(header, relation_tags[kind][2], senses);
	}
}

static void put_names(VarveRpmHeader *header, const GPtrArray *files)
{
	g_autoptr(GPtrArray) basenames = g_ptr_array_new(),
			     dirnames = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) indexes = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < files->len; i++) {
		const char *path = ((const VarveRpmFile *)g_ptr_array_index(files, i))->path;
		const char *base = strrchr(path, '/') + 1;
		g_autofree char *dir = g_strndup(path, (gsize)(base - path));
		gpointer found = NULL;
		guint32 index;

		if (g_hash_table_lookup_extended(known, dir, NULL, &found)) {
			index = GPOINTER_TO_UINT(found);
		} else {
			index = dirnames->len;
			g_hash_table_insert(known, dir, GUINT_TO_POINTER(index));
			g_ptr_array_add(dirnames, g_steal_pointer(&dir));
		}
		g_array_append_val(indexes, index);
		g_ptr_array_add(basenames, (gpointer)base);
	}
	varve_rpm_header_strings(header, TAG_BASENAMES, basenames);
	varve_rpm_header_strings(header, TAG_DIRNAMES, dirnames);
	varve_rpm_header_u32(header, TAG_DIR_INDEXES, indexes);
}

/* The strings that a file has one of each. */
static void put_file_texts(VarveRpmHeader *header, const GPtrArray *files,
			   const VarveDigest *digests)
{
	g_autoptr(GPtrArray) hex = g_ptr_array_new_with_free_func(g_free),
			     users = g_ptr_array_new(), groups = g_ptr_array_new(),
			     targets = g_ptr_array_new(), langs = g_ptr_array_new(),
			     capabilities = g_ptr_array_new();
	gboolean any = FALSE;

	for (guint i = 0; i < files->len; i++) {
		VarveRpmFile *file = g_ptr_array_index(files, i);

		g_ptr_array_add(hex, S_ISREG(file->mode) ? varve_digest_dup_hex(&digests[i])
							 : g_strdup(""));
		g_ptr_array_add(users, (gpointer)file->user);
		g_ptr_array_add(groups, (gpointer)file->group);
		g_ptr_array_add(targets, (gpointer)(file->target ? file->target : ""));
		g_ptr_array_add(langs, (gpointer) "");
		g_ptr_array_add(capabilities,
				(gpointer)(file->capabilities ? file->capabilities : ""));
		any |= file->capabilities != NULL;
	}
	varve_rpm_header_strings(header, TAG_FILE_DIGESTS, hex);
	varve_rpm_header_strings(header, TAG_FILE_USERS, users);
	varve_rpm_header_strings(header, TAG_FILE_GROUPS, groups);
	varve_rpm_header_strings(header, TAG_FILE_LINKTOS, targets);
	varve_rpm_header_strings(header, TAG_FILE_LANGS, langs);
	if (any)
		varve_rpm_header_strings(header, TAG_FILE_CAPS, capabilities);
}

static void put_file_numbers(VarveRpmHeader *header, const GPtrArray *files, const guint32 *inodes)
{
	enum { SIZE, MTIME, FLAGS, VERIFY, DEVICE, INODE, N };
	static const guint32 tags[N] = { TAG_FILE_SIZES,  TAG_FILE_MTIMES,  TAG_FILE_FLAGS,
					 TAG_FILE_VERIFY, TAG_FILE_DEVICES, TAG_FILE_INODES };
	g_autoptr(GArray) modes = g_array_new(FALSE, FALSE, sizeof(guint16));
	g_autoptr(GArray) rdevs = g_array_new(FALSE, FALSE, sizeof(guint16));
	GArray *arrays[N];

	for (guint k = 0; k < N; k++)
		arrays[k] = g_array_new(FALSE, FALSE, sizeof(guint32));
	for (guint i = 0; i < files->len; i++) {
		const VarveRpmFile *file = g_ptr_array_index(files, i);
		guint32 numbers[N] = { [MTIME] = (guint32)file->mtime,
				       [FLAGS] = file->flags,
				       [VERIFY] = G_MAXUINT32,
				       [DEVICE] = 1,
				       [INODE] = inodes[i] };
		guint16 mode = (guint16)file->mode, rdev = (guint16)file->device;

		if (S_ISREG(file->mode))
			numbers[SIZE] = (guint32)file->size;
		else if (S_ISLNK(file->mode))
			numbers[SIZE] = (guint32)strlen(file->target);
		for (guint k = 0; k < N; k++)
			g_array_append_val(arrays[k], numbers[k]);
		g_array_append_val(modes, mode);
		g_array_append_val(rdevs, rdev);
	}
	for (guint k = 0; k < N; k++) {
		varve_rpm_header_u32(header, tags[k], arrays[k]);
		g_array_unref(arrays[k]);
	}
	varve_rpm_header_u16(header, TAG_FILE_MODES, modes);
	varve_rpm_header_u16(header, TAG_FILE_RDEVS, rdevs);
}

static void put_payload(VarveRpmHeader *header, const VarveRpmPayload *payload)
{
	const struct {
		guint32 tag;
		const VarveDigest *digest;
	} digests[] = { { TAG_PAYLOAD_DIGEST, &payload->compressed },
			{ TAG_PAYLOAD_DIGEST_PLAIN, &payload->plain } };

	for (guint i = 0; i < G_N_ELEMENTS(digests); i++) {
		g_autoptr(GPtrArray) one = g_ptr_array_new_with_free_func(g_free);

		g_ptr_array_add(one, varve_digest_dup_hex(digests[i].digest));
		varve_rpm_header_strings(header, digests[i].tag, one);
	}
	varve_rpm_header_one_u32(header, TAG_PAYLOAD_DIGEST_ALGO, PGP_HASH_SHA256);
	varve_rpm_header_string(header, TAG_PAYLOAD_FORMAT, "cpio");
	varve_rpm_header_string(header, TAG_PAYLOAD_COMPRESSOR, "zstd");
	varve_rpm_header_string(header, TAG_PAYLOAD_FLAGS, "3");
}

static guint32 installed_size(const GPtrArray *files, const guint32 *inodes)
{
	guint64 size = 0;

	for (guint i = 0; i < files->len; i++) {
		const VarveRpmFile *file = g_ptr_array_index(files, i);

		if (inodes[i] == i + 1)
			size += file->size;
	}
	return (guint32)MIN(size, G_MAXUINT32);
}

/* The algorithm of a version 4 signature packet (RFC 4880, 4.2 and 5.2.3); 0 for anything else. */
static guint8 signature_algorithm(GBytes *signature)
{
	gsize size = 0, body = 0;
	const guint8 *bytes = g_bytes_get_data(signature, &size);

	if (size < 8 || !(bytes[0] & 0x80))
		return 0;
	if (bytes[0] & 0x40) { /* new format: tag in six bits */
		if ((bytes[0] & 0x3f) != 2)
			return 0;
		body = bytes[1] < 192 ? 2 : bytes[1] < 224 ? 3 : 6;
	} else {
		if (((bytes[0] >> 2) & 0xf) != 2)
			return 0;
		body = 1 + ((gsize)1 << (bytes[0] & 3));
	}
	return body + 2 < size && bytes[body] == 4 ? bytes[body + 2] : 0;
}

static gboolean put_signature(VarveRpmHeader *header, const GByteArray *signed_bytes, gint64 time,
			      VarveRpmSign sign, gpointer user, GError **error)
{
	g_autoptr(GBytes) signature = NULL;
	gsize size = 0;
	const void *bytes;
	guint8 algorithm;

	if (!sign(signed_bytes->data, signed_bytes->len, time, user, &signature, error))
		return FALSE;
	algorithm = signature_algorithm(signature);
	if (!algorithm)
		return varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"the package key makes signatures that rpm cannot carry: expected "
			"an OpenPGP signature of version 4");
	bytes = g_bytes_get_data(signature, &size);
	varve_rpm_header_bytes(header, algorithm <= 3 ? SIGTAG_RSA_HEADER : SIGTAG_DSA_HEADER,
			       bytes, size);
	return TRUE;
}

static void make_lead(const VarveRpmIdentity *id, guint8 lead[96])
{
	static const guint8 start[6] = { 0xed, 0xab, 0xee, 0xdb, 3, 0 };
	g_autofree char *name = g_strdup_printf("%s-%s-%s", id->name, id->version, id->release);

	memset(lead, 0, 96);
	memcpy(lead, start, sizeof(start));
	lead[9] = strcmp(id->arch, "aarch64") == 0 ? 19 : 1; /* nobody reads it any more */
	g_strlcpy((char *)lead + 10, name, 66);
	lead[77] = 1; /* Linux */
	lead[79] = 5; /* a signature header follows */
}

static gboolean copy_payload(int from, int to, guint64 size, GError **error)
{
	g_autofree guint8 *chunk = g_malloc(1 << 20);

	for (guint64 done = 0; done < size;) {
		ssize_t got =
			varve_fd_read_full(from, chunk, MIN(size - done, 1 << 20), (off_t)done);

		if (got <= 0)
			return varve_fail_errno(error, got ? errno : EIO, "payload: cannot read");
		if (varve_fd_write_full(to, chunk, (size_t)got) < 0)
			return varve_fail_errno(error, errno, "package: cannot write");
		done += (guint64)got;
	}
	return TRUE;
}

/* Lead, signature header padded to eight bytes, header. */
static gboolean write_front(const VarveRpmWriter *writer, int fd, const GByteArray *header,
			    const VarveRpmPayload *payload, const VarveDigest *digest,
			    VarveRpmSign sign, gpointer user, GError **error)
{
	g_autoptr(VarveRpmHeader) signature = varve_rpm_header_new(SIGTAG_REGION);
	g_autoptr(GByteArray) bytes = NULL;
	g_autofree char *hex = varve_digest_dup_hex(digest);
	static const guint8 zeros[8] = { 0 };
	guint8 lead[96];

	varve_rpm_header_string(signature, SIGTAG_SHA256_HEADER, hex);
	varve_rpm_header_one_u32(signature, SIGTAG_SIZE,
				 (guint32)(header->len + payload->compressed_size));
	varve_rpm_header_one_u32(signature, SIGTAG_PAYLOAD_SIZE, (guint32)payload->plain_size);
	if (sign &&
	    !put_signature(signature, header, writer->identity.build_time, sign, user, error))
		return FALSE;
	bytes = varve_rpm_header_serialise(signature);
	if (bytes->len % 8)
		g_byte_array_append(bytes, zeros, 8 - bytes->len % 8);
	make_lead(&writer->identity, lead);
	if (varve_fd_write_full(fd, lead, sizeof(lead)) < 0 ||
	    varve_fd_write_full(fd, bytes->data, bytes->len) < 0 ||
	    varve_fd_write_full(fd, header->data, header->len) < 0)
		return varve_fail_errno(error, errno, "package '%s': cannot write",
					writer->identity.name);
	return TRUE;
}

gboolean varve_rpm_writer_write(VarveRpmWriter *writer, int fd, const char *scratch,
				VarveRpmSign sign, gpointer user, VarveDigest *ret_header,
				GError **error)
{
	varve_autofd spool = open(scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	g_autoptr(VarveRpmHeader) header = varve_rpm_header_new(TAG_REGION);
	g_autoptr(GByteArray) bytes = NULL;
	g_autofree guint32 *inodes = g_new(guint32, writer->files->len + 1);
	g_autofree guint32 *links = g_new(guint32, writer->files->len + 1);
	g_autofree VarveDigest *digests = g_new0(VarveDigest, writer->files->len + 1);
	VarveRpmPayload payload;
	VarveDigest digest;

	if (spool < 0)
		return varve_fail_errno(error, errno, "%s: cannot make a temporary file", scratch);
	g_ptr_array_sort(writer->files, compare_paths);
	if (!check_files(writer, error))
		return FALSE;
	number_files(writer->files, inodes, links);
	if (!varve_rpm_payload_write(writer->files, inodes, links, spool, digests, &payload, error))
		return FALSE;
	if (payload.plain_size > G_MAXUINT32)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "package '%s': %" G_GUINT64_FORMAT
				  " bytes of files; RPM 4 packages carry less than 4 GiB",
				  writer->identity.name, payload.plain_size);
	put_identity(header, &writer->identity);
	add_features(writer);
	put_relations(header, writer);
	put_names(header, writer->files);
	put_file_texts(header, writer->files, digests);
	put_file_numbers(header, writer->files, inodes);
	varve_rpm_header_one_u32(header, TAG_SIZE, installed_size(writer->files, inodes));
	varve_rpm_header_one_u32(header, TAG_FILE_DIGEST_ALGO, PGP_HASH_SHA256);
	put_payload(header, &payload);
	bytes = varve_rpm_header_serialise(header);
	varve_sha256(bytes->data, bytes->len, &digest);
	if (!write_front(writer, fd, bytes, &payload, &digest, sign, user, error) ||
	    !copy_payload(spool, fd, payload.compressed_size, error))
		return FALSE;
	if (ret_header)
		*ret_header = digest;
	return TRUE;
}
