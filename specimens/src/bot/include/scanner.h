/* The scanner: who is probed, what is tried, where hits are reported. */
#ifndef SCANNER_H
#define SCANNER_H

#include "platform.h"

void scanner_init(void);
void exploit_init(void);

#endif
