#include "audit.h"
enum err audit_requests_run(struct audit *a) { return a == 0 ? ERR_VALUE : ERR_OK; }
