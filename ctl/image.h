/* Images as shown by more than one command. */
#ifndef DFOTA_CTL_IMAGE_H
#define DFOTA_CTL_IMAGE_H

#include "ctl/table.h"

extern const struct table_view image_view; /* a row each */
extern const struct table_view image_page_view;

#endif
