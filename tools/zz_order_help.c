/* zz_order_help.c - what zz says of each order: its options, what it does, and who must sign. */
#include "zz_commands.h"

/* clang-format off */
#define SAVED                                                                                      \
	"The signed order is saved in DIR/request.jws before it is sent; the same command with the same\n" \
	"--out sends it again, which is safe.\n\n"
#define WAITS                                                                                      \
	"It waits until enough officials have signed: exit code 5, and the line that the next official runs.\n"
#define DECISION                                                                                   \
	"  --decision-no N   number of the written decision, at most 200 bytes\n"                  \
	"  --decided DATE    day of the decision, YYYY-MM-DD, Shanghai (also --decided-at)\n"
#define SERIALS                                                                                    \
	"The certificates, in one of three ways:\n"                                                \
	"  --serial S        32 hex digits; more may follow it, 1000 at most\n"                    \
	"  --file F          a file with a serial a line, 100,000 at most; # begins a comment\n"   \
	"  --select          all certificates that fit every one of these that is given:\n"        \
	"    --center CODE   issued by this centre\n"                                              \
	"    --item CODE     for this item (6 digits)\n"                                           \
	"    --request HEX   issued by this request (64 hex digits)\n"                             \
	"    --from TIME     issued at this moment or later, 2026-10-17T00:00:00+08:00\n"          \
	"    --to TIME       issued before this moment; at least one of the first three\n"         \
	"  --send            with --file and --select: sign and send. Without it nothing is signed or sent:\n" \
	"                    counts and a sample of 10 are shown\n\n"
#define WHICH                                                                                      \
	"         --serial S [S…] | --file F [--send] |\n"                                         \
	"         --select [--center CODE] [--item CODE] [--request HEX] [--from TIME] [--to TIME] [--send]\n\n"
#define MANY                                                                                       \
	"More than 1,000 certificates take one official more, and are done in the background: zz approve shows\n" \
	"how far it is, and zz show what became of them.\n"
#define TARGET                                                                                     \
	"  --center CODE     a centre with all its keys, for example 330106-01\n"                  \
	"  --kid KID         one key of a centre: the 43 characters that zz keygen printed\n"
#define OUT(word)                                                                                  \
	"  --out DIR         default out/" word "-<first 8 characters of the new jti>\n"           \
	"  --json            print the service's answer\n\n"                                       \
	"The order is good for 7 days.\n\n" ZZ_EXIT_HELP

const char zz_revoke_help[] =
        "usage: zz revoke --url U --key KEY.pem --ground CODE --decision-no N --decided DATE "
        "--effective DATE\n"
        "                 [--out DIR] [--json]\n"
        WHICH
        "Signs the order to revoke certificates (also to cancel, withdraw or void them: the ground "
        "says which) and sends\n"
        "it. " WAITS MANY SAVED
        "  --ground CODE     for example R05 (以欺骗、贿赂等不正当手段取得)\n"
        DECISION
        "  --effective DATE  day from which the certificate counts as invalid, YYYY-MM-DD, "
        "Shanghai\n"
        SERIALS OUT("revoke");

const char zz_suspend_help[] =
        "usage: zz suspend --url U --key KEY.pem --ground S01 --decision-no N --decided DATE "
        "--effective DATE\n"
        "                  --until DATE [--out DIR] [--json]\n"
        WHICH
        "Holds certificates while a case is looked into. One official starts a hold at once; it ends "
        "by itself after 72\n"
        "hours unless a second official approves it (zz approve), and on the day --until at the "
        "latest. One official\n"
        "starts at most 100 holds a day, and none on a certificate held within the last 90 days.\n" MANY SAVED
        "  --ground CODE     S01 (涉嫌不正当取得，调查中冻结)\n"
        DECISION
        "  --effective DATE  day from which the hold counts, YYYY-MM-DD, Shanghai\n"
        "  --until DATE      last day of the hold, at most 30 days from today\n"
        SERIALS OUT("suspend");

const char zz_reinstate_help[] =
        "usage: zz reinstate --url U --key KEY.pem --decision-no N --decided DATE [--out DIR] "
        "[--json]\n"
        WHICH
        "Ends a hold: suspended certificates are in force again. What was revoked never comes back.\n" WAITS MANY SAVED
        DECISION SERIALS OUT("reinstate");

const char zz_replace_help[] =
        "usage: zz replace --url U --key KEY.pem --ground X02|X03|X05 --decision-no N --decided DATE "
        "[--out DIR] [--json]\n"
        "                  [--name N] [--sex M|F] [--doc-type T --doc-number N] [--photo FILE | "
        "--photo-sha256 HEX] SERIAL\n\n"
        "A new certificate takes the place of the old one, with the same last day; the old one then "
        "says SUPERSEDED. A centre\n"
        "or an official asks for it, and one official must have signed. The new record is kept as zz "
        "submit keeps them:\n"
        "<serial>.cose, .bundle and .qr.txt in DIR; after an approval the same command with the same "
        "--out fetches it.\n" SAVED
        "  SERIAL            32 hex digits: the certificate that is replaced\n"
        "  --ground CODE     X02 loss 遗失补发, X03 change of data or damage 信息变更或损毁换发, X05 change "
        "of the catalogue\n"
        "                    国家目录调整换发; X02 and X05 change nothing of the person\n"
        DECISION
        "  --name N          the new name; what is not given stays as it was\n"
        "  --sex M|F\n"
        "  --doc-type T      01 to 08, with --doc-number\n"
        "  --doc-number N\n"
        "  --photo FILE      the new photograph: its SHA-256 is sent, never the photograph itself\n"
        "  --photo-sha256 H  the same as 64 hex digits\n"
        OUT("replace");

const char zz_stop_help[] =
        "usage: zz stop --url U --key KEY.pem --decision-no N --decided DATE --center CODE|--kid KID "
        "[--out DIR] [--json]\n\n"
        "Nothing more is issued for a centre, or for one of its keys, from the moment of the answer. "
        "Certificates that\n"
        "were issued before stay as they are.\n" SAVED
        DECISION TARGET OUT("stop");

const char zz_resume_help[] =
        "usage: zz resume --url U --key KEY.pem --decision-no N --decided DATE --center CODE|--kid "
        "KID [--out DIR] [--json]\n\n"
        "A stopped centre or key may issue again. " WAITS SAVED
        DECISION TARGET OUT("resume");

const char zz_withdraw_help[] =
        "usage: zz withdraw --url U --key KEY.pem [--out DIR] [--json] REQUEST\n\n"
        "Ends a request of your own that still waits: nobody can approve it any more.\n" SAVED
        "  REQUEST           64 hex digits, as the answer named it\n"
        OUT("withdraw");
/* clang-format on */
