/* What single strings must be: VarveTextCheck functions, shared by the tables. */
#pragma once

/** varve_timeout_seconds: of a text that varve_check_timeout() takes. */
unsigned varve_timeout_seconds(const char *text);

const char *varve_check_name(const char *text);  /* layers, editions, sets: [a-z0-9][a-z0-9.+-]* */
const char *varve_check_os_id(const char *text); /* os-release(5) ID */
const char *varve_check_version(const char *text); /* no blanks, no underscore, no slash */
const char *varve_check_line(const char *text);    /* no line breaks or other control characters */
const char *varve_check_url(const char *text);     /* http, https or file */
const char *varve_check_web_url(const char *text); /* http or https */
const char *varve_check_plain_url(const char *text); /* the same without query and fragment */
const char *varve_check_gpg_key(const char *text);   /* path, or http, https or file */
const char *varve_check_package(const char *text);   /* package name or capability */
const char *varve_check_unit(const char *text); /* a systemd unit, templates and instances too */
const char *varve_check_unit_pattern(const char *text); /* or a pattern of a preset */
const char *varve_check_timeout(const char *text);      /* "10s", "2min": at most ten minutes */
const char *varve_check_account(const char *text);      /* user and group names */
const char *varve_check_selinux_name(const char *text); /* a module or a boolean */
const char *varve_check_target_path(const char *text);  /* absolute, normalised */
const char *varve_check_target_glob(const char *text);  /* starts with a slash */
const char *varve_check_link_target(const char *text);
const char *varve_check_sysctl(const char *text);
const char *varve_check_module(const char *text);
const char *varve_check_argument(const char *text);   /* one word of a kernel command line */
const char *varve_check_key_name(const char *text);   /* base name of a key file */
const char *varve_check_file_name(const char *text);  /* no directory part */
const char *varve_check_plain_name(const char *text); /* the same of ASCII, without blanks */
const char *varve_check_relative_path(const char *text);
char *varve_check_regex(const char *text); /* RE2's syntax; a VarveTextJudge */
const char *varve_check_glob(const char *text);
const char *varve_check_pattern(const char *text); /* with {one,two} */
const char *varve_check_resource_name(const char *text);
const char *varve_check_channel(const char *text);
const char *varve_check_subpath(const char *text); /* relative, without ".." */
const char *varve_check_commit(const char *text);
const char *varve_check_whole_commit(const char *text);
const char *varve_check_timestamp(const char *text);   /* RFC 3339 */
const char *varve_check_date(const char *text);        /* YYYY-MM-DD, a day that there is */
const char *varve_check_rpm_version(const char *text); /* [epoch:]version[-release] */
const char *varve_check_archive(const char *text);
