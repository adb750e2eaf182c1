/* key_pem.c - a key in a file is as safe as its passphrase: neither leaves unwiped memory. */
#include "key_pem.h"

#include "hash.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

enum { SCRYPT_N = 16384, SCRYPT_R = 8, SCRYPT_P = 1 };

static bool
passphrase_fits(struct bytes p)
{
	return p.n >= PASSPHRASE_BYTES_MIN && p.n <= PASSPHRASE_BYTES_MAX;
}

static enum err
bio_take(BIO *bio, struct buf *out)
{
	char *p = NULL;
	long n = bio == NULL ? 0 : BIO_get_mem_data(bio, &p);

	buf_put(out, bytes_of(p, n > 0 ? (size_t)n : 0));
	return n > 0 ? buf_end(out) : ERR_CRYPTO;
}

/* What key_write_private gave, opened as PKCS #8. */
static PKCS8_PRIV_KEY_INFO *
info_of(const struct key *k)
{
	uint8_t room[KEY_PEM_BYTES_MAX];
	struct buf pem = BUF_OF(room);
	PKCS8_PRIV_KEY_INFO *info = NULL;
	BIO *bio;

	if (key_write_private(k, &pem) == ERR_OK &&
	        (bio = BIO_new_mem_buf(pem.p, (int)pem.n)) != NULL) {
		info = PEM_read_bio_PKCS8_PRIV_KEY_INFO(bio, NULL, NULL, NULL);
		BIO_free(bio);
	}
	secret_wipe(room, sizeof room);
	return info;
}

enum err
key_write_encrypted(const struct key *k, struct bytes passphrase, struct buf *out)
{
	PKCS8_PRIV_KEY_INFO *info = NULL;
	X509_ALGOR *algorithm = NULL;
	X509_SIG *box = NULL;
	BIO *bio = NULL;
	enum err e = ERR_CRYPTO;

	if (!passphrase_fits(passphrase))
		return ERR_LIMIT;
	if (!key_is_private(k) || key_is_elsewhere(k))
		return ERR_VALUE;
	info = info_of(k);
	algorithm = PKCS5_pbe2_set_scrypt(
	        EVP_aes_256_cbc(), NULL, 0, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
	if (info != NULL && algorithm != NULL &&
	        (box = PKCS8_set0_pbe(
	                 (const char *)passphrase.p, (int)passphrase.n, info, algorithm)) != NULL) {
		algorithm = NULL; /* it is the box's now */
		bio = BIO_new(BIO_s_mem());
		if (bio != NULL && PEM_write_bio_PKCS8(bio, box) == 1)
			e = bio_take(bio, out);
	}
	BIO_free(bio);
	X509_SIG_free(box);
	X509_ALGOR_free(algorithm);
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_clear_error();
	return e;
}

/* Through the one reader of keys. */
static enum err
info_open(PKCS8_PRIV_KEY_INFO *info, struct key **out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *p = NULL;
	long n;
	enum err e = ERR_CRYPTO;

	if (bio != NULL && PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info) == 1 &&
	        (n = BIO_get_mem_data(bio, &p)) > 0) {
		e = key_read_pem(bytes_of(p, (size_t)n), out);
		secret_wipe(p, (size_t)n);
	}
	BIO_free(bio);
	return e;
}

enum err
key_read_encrypted(struct bytes pem, struct bytes passphrase, struct key **out)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	PKCS8_PRIV_KEY_INFO *info = NULL;
	X509_SIG *box = bio == NULL ? NULL : PEM_read_bio_PKCS8(bio, NULL, NULL, NULL);
	enum err e = box == NULL ? ERR_VALUE : ERR_SIGNATURE;

	if (box != NULL &&
	        (info = PKCS8_decrypt(box, (const char *)passphrase.p, (int)passphrase.n)) != NULL)
		e = info_open(info, out);
	PKCS8_PRIV_KEY_INFO_free(info);
	X509_SIG_free(box);
	BIO_free(bio);
	ERR_clear_error();
	return e;
}
