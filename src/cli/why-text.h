/* Answers for people: the same for `varvectl why` and `varve why`. */
#pragma once

#include "trace/answer.h"
#include "trace/boot.h"

/** varve_why_print: prints all of one question to standard output. */
void varve_why_print(const VarveTraceWhy *why);

/** varve_why_print_answer: one answer. */
void varve_why_print_answer(const VarveTraceAnswer *answer);

/** varve_why_row: prints "  title        text", with its title in a column of its own; what could
 *  make a terminal do something is escaped. */
void varve_why_row(const char *title, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** varve_why_package_rows: package, source, licence; @nevra "" where the build made it. */
void varve_why_package_rows(const VarveManifestPackage *package, const char *nevra);

/** varve_why_layer_text: (caller frees) "ssh 10.0p1 (extension)". */
char *varve_why_layer_text(const VarveTraceLayer *layer);

/** varve_why_earlier_text: (caller frees) "libssl 3.0, of generation 1; the running stack has
 * none". */
char *varve_why_earlier_text(const VarveTraceEarlier *earlier);

/** varve_why_print_uki: the unified kernel image, its parts and who signed it. */
void varve_why_print_uki(const VarveTraceBoot *boot);
/** varve_why_print_loader: the boot loader. */
void varve_why_print_loader(const VarveTraceBoot *boot);
/** varve_why_print_initrd_file: the file @path of the initrd, with the links that lead to it.
 *  Errors: NOT_FOUND, CORRUPT. */
gboolean varve_why_print_initrd_file(const VarveTraceBoot *boot, const char *path, GError **error);
/** varve_why_print_boot: all of it, one line a file. */
void varve_why_print_boot(const VarveTraceBoot *boot);

/** varve_why_boot_word: answers "uki", "boot-loader" or "initrd:PATH" in text, or appends it to
 * @json where that is given. Errors: NOT_FOUND, CORRUPT. */
gboolean varve_why_boot_word(const VarveTraceBoot *boot, VarveBootAsk ask, const char *path,
			     json_t *json, GError **error);
