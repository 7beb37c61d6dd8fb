/* owners.h - whose tone it is: what a sentence says is credited to the companies it says it of.
 *
 * "Profit rose but costs at Apple hurt", with the tones of tone.c (+0.60 rose, -0.54 hurt):
 *
 *     hurt   Apple stands before it in its segment              surely Apple's:  bad  0.54
 *     rose   nobody in its segment, and no other name either;
 *            Apple is the nearest in the sentence               3/4 Apple's:     good 0.45
 *
 * "Apple soars, Tesla slumps", read for Apple alone: "slumps" stands in a segment that begins with
 * a capital we do not know, so it is somebody else's, and nobody gets it.
 *
 * A sentence that names nobody, "The company also ..", goes on about whom the last one named, for
 * two sentences and at 0.4. After one that named two apart it could be either: nobody's. */
#ifndef TOCSIN_ANALYTICS_LEXICON_OWNERS_H
#define TOCSIN_ANALYTICS_LEXICON_OWNERS_H
#include "analytics/news/scorers/lexicon/mentions.h"

/* After mentions_find, which said who is `named`, and tone_read. */
void owners_share_out(struct subjects *a, struct sentence *s, uint64_t named, double weight,
                      bool head);
#endif
