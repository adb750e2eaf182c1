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
	"  --decided DATE    day of the decision, YYYY-MM-DD, Shanghai\n"
#define SERIALS "  --serial S        32 hex digits; more may follow it, 1000 at most\n"
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
        "                 [--out DIR] [--json] --serial S [S…]\n\n"
        "Signs the order to revoke certificates (also to cancel, withdraw or void them: the ground "
        "says which) and sends\n"
        "it. " WAITS SAVED
        "  --ground CODE     for example R05 (以欺骗、贿赂等不正当手段取得)\n"
        DECISION
        "  --effective DATE  day from which the certificate counts as invalid, YYYY-MM-DD, "
        "Shanghai\n"
        SERIALS OUT("revoke");

const char zz_suspend_help[] =
        "usage: zz suspend --url U --key KEY.pem --ground S01 --decision-no N --decided DATE "
        "--effective DATE\n"
        "                  --until DATE [--out DIR] [--json] --serial S [S…]\n\n"
        "Holds certificates while a case is looked into. One official starts a hold at once; it ends "
        "by itself after 72\n"
        "hours unless a second official approves it (zz approve), and on the day --until at the "
        "latest. One official\n"
        "starts at most 100 holds a day, and none on a certificate held within the last 90 days.\n" SAVED
        "  --ground CODE     S01 (涉嫌不正当取得，调查中冻结)\n"
        DECISION
        "  --effective DATE  day from which the hold counts, YYYY-MM-DD, Shanghai\n"
        "  --until DATE      last day of the hold, at most 30 days from today\n"
        SERIALS OUT("suspend");

const char zz_reinstate_help[] =
        "usage: zz reinstate --url U --key KEY.pem --decision-no N --decided DATE [--out DIR] "
        "[--json] --serial S [S…]\n\n"
        "Ends a hold: suspended certificates are in force again. What was revoked never comes back. " WAITS SAVED
        DECISION SERIALS OUT("reinstate");

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
