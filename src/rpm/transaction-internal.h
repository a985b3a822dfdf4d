/* The two halves of a transaction: transaction.c stays outside, transaction-run.c is the child. */
#pragma once

#include "rpm/header-internal.h"
#include "rpm/transaction.h"

/* What the child writes to its pipe: a record of this head and @size bytes. */
typedef enum {
	VARVE_REPORT_PROGRESS = 'p', /* guint64 bytes, NEVRA */
	VARVE_REPORT_REMOVE = 'r',   /* a directory of the root that was made for the transaction */
	VARVE_REPORT_ERROR = 'e',    /* guint32 code, message */
	VARVE_REPORT_DONE = 'd',
} VarveReport;

typedef struct {
	guint32 kind;
	guint32 size;
} VarveReportHead;

/** One package in the child. */
typedef struct {
	int fd; /* opened before the host's file system went away */
	char *nevra;
	Header header;
	guint64 size; /* installed */
} VarveTransactionItem;

/** varve_transaction_child: all of the child's work; reports to @report. */
gboolean varve_transaction_child(const VarveTransaction *transaction, int report, GError **error);

/** varve_transaction_report: writes one record of two parts; a reader that is gone is ignored. */
void varve_transaction_report(int report, VarveReport kind, const void *a, size_t a_size,
			      const void *b, size_t b_size);

/** varve_transaction_own: sets owners and modes of paths that do not belong to root:root.
 *  @root_fd is the installed root. */
gboolean varve_transaction_own(const VarveTransaction *transaction, int root_fd,
			       const VarveTransactionItem *items, gsize n_items, GError **error);
