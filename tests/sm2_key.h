#ifndef TESTS_SM2_KEY_H
#define TESTS_SM2_KEY_H
/* sm2_key.h - the key of the worked example of GB/T 32918.5-2017 annex A (its number is public). */
#include "key.h"

#define SM2_PRIVATE                                                                                \
	"-----BEGIN PRIVATE KEY-----\n"                                                            \
	"MIGHAgEAMBMGByqGSM49AgEGCCqBHM9VAYItBG0wawIBAQQgOUUgj3shRLE/NuOK\n"                       \
	"xtOflYiTk2koYLUaQvuB7033xbihRANCAAQJ+d8xHlQhoVDdfRYeS8XGchefrRgz\n"                       \
	"/AdrsI/zVvNQIMzqSQziZ3WlLcbqcYzBqmAK7QX7814ISmYy9gctqa0T\n"                               \
	"-----END PRIVATE KEY-----\n"
#define SM2_PUBLIC                                                                                 \
	"-----BEGIN PUBLIC KEY-----\n"                                                             \
	"MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAECfnfMR5UIaFQ3X0WHkvFxnIXn60Y\n"                       \
	"M/wHa7CP81bzUCDM6kkM4md1pS3G6nGMwapgCu0F+/NeCEpmMvYHLamtEw==\n"                           \
	"-----END PUBLIC KEY-----\n"
/* Of "message digest", with the ID 1234567812345678. */
#define SM2_SIGNATURE                                                                              \
	"f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"                         \
	"b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
#endif
