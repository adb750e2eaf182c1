/* publish_landmark.c - one landmark a day in Shanghai, found again in the log itself: the entries
 * before the first one of a later day. */
#include "publish.h"

#include "date.h"
#include "entry.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 700, MODE = 0644 };

void
publish_landmark_see(struct publish *p, struct bytes bytes)
{
	uint64_t index = p->tiles.size;
	struct entry e;
	int64_t time;

	if (entry_decode(bytes, &e) != ERR_OK || (time = entry_time(&e)) <= p->log_time)
		return;
	if (index > 0 && date_shanghai(time) > date_shanghai(p->log_time))
		landmarks_add(&p->landmarks, index);
	p->log_time = time;
}

enum err
publish_landmark_write(struct publish *p)
{
	struct buf text;
	char path[PATH_BYTES];
	enum err e;

	if (p->landmarks.last == p->landmarks_written && p->landmarks_written != 0)
		return ERR_OK;
	text = buf_init(malloc(LANDMARKS_TEXT_BYTES_MAX), LANDMARKS_TEXT_BYTES_MAX);
	if (text.p == NULL)
		return ERR_MEMORY;
	landmarks_put(&text, &p->landmarks);
	snprintf(path, sizeof path, "%.500s/log/landmarks", p->dir);
	if ((e = buf_end(&text)) == ERR_OK &&
	        (e = file_write(path, buf_bytes(&text), MODE)) == ERR_OK)
		p->landmarks_written = p->landmarks.last;
	free(text.p);
	return e;
}
