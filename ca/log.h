#ifndef CA_LOG_H
#define CA_LOG_H
/* log.h - one line of key=value on standard error. log_fault: ours; log_refuse: the peer's;
 * log_note: said. Never key material, bodies, names or numbers of persons. At most LOG_LINES_S_MAX
 * lines a second; what was left out is counted in the next line. */
enum { LOG_LINES_S_MAX = 100 };

void log_open(const char *program); /* once, in main */
void log_fault(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_refuse(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_note(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
#endif
