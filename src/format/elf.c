/* ELF files: program headers, the dynamic section, and the strings that it names. */
#include "format/elf.h"

#include "base/error.h"
#include "ground/fd.h"

#include <elf.h>
#include <string.h>
#include <sys/stat.h>

/* Bounds far above what linkers make, so that a hostile file costs little. */
#define SEGMENTS_MAX 4096
#define DYNAMIC_MAX (1024 * 1024)
#define STRING_MAX 4096
#define NEEDED_MAX 4096

/* The file, and how its words are written. */
typedef struct {
	int fd; /* -1: in memory */
	const guint8 *data;
	guint64 size;
	const char *name;
	gboolean wide; /* ELFCLASS64 */
	gboolean big;  /* ELFDATA2MSB */
} Source;

/* One program header. */
typedef struct {
	guint32 type;
	guint64 offset, address, file_size;
} Segment;

static gboolean corrupt(const Source *source, const char *what, GError **error)
{
	return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: not a sound ELF file: %s", source->name,
			  what);
}

static gboolean read_at(const Source *source, guint64 offset, void *buffer, guint64 size,
			const char *what, GError **error)
{
	ssize_t got;

	if (offset > source->size || size > source->size - offset)
		return corrupt(source, what, error);
	if (source->fd < 0) {
		memcpy(buffer, source->data + offset, size);
		return TRUE;
	}
	got = varve_fd_read_full(source->fd, buffer, size, (off_t)offset);
	if (got < 0)
		return varve_fail_errno(error, errno, "cannot read %s", source->name);
	return (guint64)got == size || corrupt(source, "it shrank while it was read", error);
}

static guint16 half(const Source *source, const guint8 *bytes)
{
	return source->big ? (guint16)(bytes[0] << 8 | bytes[1])
			   : (guint16)(bytes[1] << 8 | bytes[0]);
}

static guint32 word(const Source *source, const guint8 *bytes)
{
	guint32 low = half(source, bytes), high = half(source, bytes + 2);

	return source->big ? low << 16 | high : high << 16 | low;
}

/* An address or offset: four bytes or eight. */
static guint64 wide(const Source *source, const guint8 *bytes)
{
	guint64 first = word(source, bytes), second;

	if (!source->wide)
		return first;
	second = word(source, bytes + 4);
	return source->big ? first << 32 | second : second << 32 | first;
}

static gboolean read_identity(Source *source, VarveElf *elf, guint64 *ret_segments,
			      guint *ret_n_segments, GError **error)
{
	guint8 header[sizeof(Elf64_Ehdr)] = { 0 };
	size_t entry_size;

	if (source->size < EI_NIDENT)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: not an ELF file",
				  source->name);
	if (!read_at(source, 0, header, EI_NIDENT, "the identification", error))
		return FALSE;
	if (memcmp(header, ELFMAG, SELFMAG) != 0)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: not an ELF file",
				  source->name);
	if ((header[EI_CLASS] != ELFCLASS32 && header[EI_CLASS] != ELFCLASS64) ||
	    (header[EI_DATA] != ELFDATA2LSB && header[EI_DATA] != ELFDATA2MSB))
		return corrupt(source, "neither 32 nor 64 bits, or of no byte order", error);
	source->wide = header[EI_CLASS] == ELFCLASS64;
	source->big = header[EI_DATA] == ELFDATA2MSB;
	if (!read_at(source, 0, header, source->wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr),
		     "it ends within its header", error))
		return FALSE;
	elf->bits = source->wide ? 64 : 32;
	elf->big_endian = source->big;
	elf->type = half(source, header + G_STRUCT_OFFSET(Elf64_Ehdr, e_type));
	elf->machine = half(source, header + G_STRUCT_OFFSET(Elf64_Ehdr, e_machine));
	if (source->wide) {
		*ret_segments = wide(source, header + G_STRUCT_OFFSET(Elf64_Ehdr, e_phoff));
		entry_size = half(source, header + G_STRUCT_OFFSET(Elf64_Ehdr, e_phentsize));
		*ret_n_segments = half(source, header + G_STRUCT_OFFSET(Elf64_Ehdr, e_phnum));
	} else {
		*ret_segments = wide(source, header + G_STRUCT_OFFSET(Elf32_Ehdr, e_phoff));
		entry_size = half(source, header + G_STRUCT_OFFSET(Elf32_Ehdr, e_phentsize));
		*ret_n_segments = half(source, header + G_STRUCT_OFFSET(Elf32_Ehdr, e_phnum));
	}
	if (*ret_n_segments > 0 &&
	    entry_size != (source->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return corrupt(source, "its program headers have a strange size", error);
	if (*ret_n_segments > SEGMENTS_MAX)
		return corrupt(source, "it has too many program headers", error);
	return TRUE;
}

static gboolean read_segments(const Source *source, guint64 offset, guint n_segments,
			      Segment *segments, GError **error)
{
	size_t size = source->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	g_autofree guint8 *table = g_malloc0(n_segments * size + 1);

	if (!read_at(source, offset, table, n_segments * size,
		     "its program headers lie outside the file", error))
		return FALSE;
	for (guint i = 0; i < n_segments; i++) {
		const guint8 *entry = table + i * size;

		segments[i].type = word(source, entry);
		if (source->wide) {
			segments[i].offset =
				wide(source, entry + G_STRUCT_OFFSET(Elf64_Phdr, p_offset));
			segments[i].address =
				wide(source, entry + G_STRUCT_OFFSET(Elf64_Phdr, p_vaddr));
			segments[i].file_size =
				wide(source, entry + G_STRUCT_OFFSET(Elf64_Phdr, p_filesz));
		} else {
			segments[i].offset =
				wide(source, entry + G_STRUCT_OFFSET(Elf32_Phdr, p_offset));
			segments[i].address =
				wide(source, entry + G_STRUCT_OFFSET(Elf32_Phdr, p_vaddr));
			segments[i].file_size =
				wide(source, entry + G_STRUCT_OFFSET(Elf32_Phdr, p_filesz));
		}
	}
	return TRUE;
}

/* A NUL-terminated string at @offset that ends before @end. */
static gboolean read_string(const Source *source, guint64 offset, guint64 end, char **ret,
			    GError **error)
{
	char buffer[STRING_MAX];
	guint64 room;

	if (offset >= end)
		return corrupt(source, "a string lies outside its table", error);
	room = MIN(end - offset, sizeof buffer);
	if (!read_at(source, offset, buffer, room, "a string lies outside the file", error))
		return FALSE;
	if (!memchr(buffer, '\0', room))
		return corrupt(source, "a string does not end", error);
	g_free(*ret);
	*ret = g_strdup(buffer);
	return TRUE;
}

/* Where the byte at @address lies in the file, and where its segment ends there. */
static gboolean find_address(const Source *source, const Segment *segments, guint n_segments,
			     guint64 address, guint64 *ret_offset, guint64 *ret_end, GError **error)
{
	for (guint i = 0; i < n_segments; i++) {
		const Segment *segment = &segments[i];
		guint64 end;

		if (segment->type != PT_LOAD || address < segment->address ||
		    address - segment->address >= segment->file_size)
			continue;
		if (__builtin_add_overflow(segment->offset, segment->file_size, &end) ||
		    end > source->size)
			return corrupt(source, "a segment lies outside the file", error);
		*ret_offset = segment->offset + (address - segment->address);
		*ret_end = end;
		return TRUE;
	}
	return corrupt(source, "its string table is in no segment", error);
}

/* What the dynamic section says, before its strings are known. */
typedef struct {
	guint64 strings, strings_size;
	gboolean has_strings;
	guint64 soname, runpath, rpath; /* offsets into the strings; G_MAXUINT64: none */
	GArray *needed;                 /* guint64 */
} Dynamic;

static gboolean read_dynamic(const Source *source, const Segment *segment, Dynamic *dynamic,
			     GError **error)
{
	size_t size = source->wide ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	g_autofree guint8 *table = NULL;

	if (segment->file_size > DYNAMIC_MAX)
		return corrupt(source, "its dynamic section is too large", error);
	table = g_malloc0(segment->file_size + 1);
	if (!read_at(source, segment->offset, table, segment->file_size,
		     "its dynamic section lies outside the file", error))
		return FALSE;
	for (guint64 at = 0; at + size <= segment->file_size; at += size) {
		guint64 tag = wide(source, table + at);
		guint64 value = wide(source, table + at + size / 2);

		if (tag == DT_NULL)
			break;
		switch (tag) {
		case DT_NEEDED:
			g_array_append_val(dynamic->needed, value);
			break;
		case DT_SONAME:
			dynamic->soname = value;
			break;
		case DT_RUNPATH:
			dynamic->runpath = value;
			break;
		case DT_RPATH:
			dynamic->rpath = value;
			break;
		case DT_STRTAB:
			dynamic->strings = value;
			dynamic->has_strings = TRUE;
			break;
		case DT_STRSZ:
			dynamic->strings_size = value;
			break;
		default:
			break;
		}
	}
	if (dynamic->needed->len > NEEDED_MAX)
		return corrupt(source, "it needs too many libraries", error);
	return TRUE;
}

static gboolean read_names(const Source *source, const Segment *segments, guint n_segments,
			   const Dynamic *dynamic, VarveElf *elf, GError **error)
{
	g_autoptr(GPtrArray) needed = g_ptr_array_new_with_free_func(g_free);
	guint64 runpath = dynamic->runpath != G_MAXUINT64 ? dynamic->runpath : dynamic->rpath;
	guint64 start = 0, end = 0;

	if (dynamic->has_strings) {
		if (!find_address(source, segments, n_segments, dynamic->strings, &start, &end,
				  error))
			return FALSE;
		if (dynamic->strings_size > end - start)
			return corrupt(source, "its string table is larger than its segment",
				       error);
		end = start + dynamic->strings_size;
	}
	/* An offset beyond the table is caught by read_string(); one that wraps, here. */
	for (guint i = 0; i < dynamic->needed->len; i++) {
		guint64 at = g_array_index(dynamic->needed, guint64, i);
		char *name = NULL;

		if (at >= end - start)
			return corrupt(source, "a library's name lies outside its table", error);
		if (!read_string(source, start + at, end, &name, error))
			return FALSE;
		g_ptr_array_add(needed, name);
	}
	if (dynamic->soname != G_MAXUINT64 &&
	    (dynamic->soname >= end - start ||
	     !read_string(source, start + dynamic->soname, end, &elf->soname, NULL)))
		return corrupt(source, "its soname lies outside its table", error);
	if (runpath != G_MAXUINT64 &&
	    (runpath >= end - start ||
	     !read_string(source, start + runpath, end, &elf->runpath, NULL)))
		return corrupt(source, "its runpath lies outside its table", error);
	g_ptr_array_add(needed, NULL);
	g_strfreev(elf->needed);
	elf->needed = (char **)g_ptr_array_free(g_steal_pointer(&needed), FALSE);
	return TRUE;
}

static gboolean read_segments_wanted(const Source *source, const Segment *segments,
				     guint n_segments, VarveElf *elf, GError **error)
{
	g_autoptr(GArray) needed = g_array_new(FALSE, FALSE, sizeof(guint64));
	Dynamic dynamic = { .soname = G_MAXUINT64,
			    .runpath = G_MAXUINT64,
			    .rpath = G_MAXUINT64,
			    .needed = needed };

	for (guint i = 0; i < n_segments; i++) {
		const Segment *segment = &segments[i];
		guint64 end;

		if (segment->type == PT_DYNAMIC && !read_dynamic(source, segment, &dynamic, error))
			return FALSE;
		if (segment->type != PT_INTERP)
			continue;
		if (__builtin_add_overflow(segment->offset, segment->file_size, &end))
			return corrupt(source, "its interpreter lies outside the file", error);
		if (!read_string(source, segment->offset, end, &elf->interpreter, error))
			return FALSE;
	}
	return read_names(source, segments, n_segments, &dynamic, elf, error);
}

static VarveElf *elf_read(Source *source, GError **error)
{
	g_autoptr(VarveElf) elf = g_new0(VarveElf, 1);
	g_autofree Segment *segments = NULL;
	guint64 offset = 0;
	guint n_segments = 0;

	elf->interpreter = g_strdup("");
	elf->soname = g_strdup("");
	elf->runpath = g_strdup("");
	elf->needed = g_new0(char *, 1);
	if (!read_identity(source, elf, &offset, &n_segments, error))
		return NULL;
	segments = g_new0(Segment, n_segments);
	if (!read_segments(source, offset, n_segments, segments, error) ||
	    !read_segments_wanted(source, segments, n_segments, elf, error))
		return NULL;
	return g_steal_pointer(&elf);
}

VarveElf *varve_elf_parse(const void *data, size_t size, const char *name, GError **error)
{
	Source source = { .fd = -1, .data = data, .size = size, .name = name };

	return elf_read(&source, error);
}

VarveElf *varve_elf_read(int fd, const char *name, GError **error)
{
	Source source = { .fd = fd, .name = name };
	struct stat status;

	if (fstat(fd, &status) < 0) {
		varve_fail_errno(error, errno, "cannot read %s", name);
		return NULL;
	}
	if (!S_ISREG(status.st_mode)) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: not a regular file, so no ELF file",
			   name);
		return NULL;
	}
	source.size = (guint64)status.st_size;
	return elf_read(&source, error);
}

void varve_elf_free(VarveElf *elf)
{
	if (!elf)
		return;
	g_free(elf->interpreter);
	g_free(elf->soname);
	g_free(elf->runpath);
	g_strfreev(elf->needed);
	g_free(elf);
}
