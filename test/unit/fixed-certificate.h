/* For tests: a certificate that never changes. Nobody has its key. */
#pragma once

#define FIXED_CERTIFICATE_TIME 1795623906 /* notBefore: 2026-11-25 16:25:06 UTC */

static const char fixed_certificate[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBgDCCASWgAwIBAgIUE2S5n1OGt0qaW4YCv9BEAzAH7s0wCgYIKoZIzj0EAwIw\n"
	"FTETMBEGA1UEAwwKdmFydmUgdGVzdDAeFw0yNjExMjUxNjI1MDZaFw00NjExMjAx\n"
	"NjI1MDZaMBUxEzARBgNVBAMMCnZhcnZlIHRlc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
	"PQMBBwNCAASqDGZus33GS0U+kLzCRUR3p7hYhIFZKdoojvMyMVvpnnYGQhQKx/wX\n"
	"uL1rAhSwgHWaDoDAGL/9TzSVA739ohfao1MwUTAdBgNVHQ4EFgQUgjhhXHZ8GjY5\n"
	"nhv5xjSGMQX+5zAwHwYDVR0jBBgwFoAUgjhhXHZ8GjY5nhv5xjSGMQX+5zAwDwYD\n"
	"VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEApju0pE3LPtBneMZXtQUL\n"
	"AnWX0DMkTX+l55kBRpsFYzMCIQCOXf+QvgpPUd9Q5MmaH+qfdKk19hvttlVHIlKf\n"
	"tXFJEw==\n"
	"-----END CERTIFICATE-----\n";
